// Alone in its file, so that a new build id recompiles nothing else.
#include "build_info.h"

#include "viperhttp_build.h"

const char vhttp_build_id[] = VHTTP_BUILD_ID;
