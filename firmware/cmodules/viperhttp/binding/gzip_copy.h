// SPDX-License-Identifier: MIT
// gzip_copy(): a stream compressed into another, for viperhttp.gzip_static().
#ifndef VHTTP_GZIP_COPY_H
#define VHTTP_GZIP_COPY_H

#include "py/obj.h"

// gzip_copy(source, target, level) -> (bytes read, bytes written)
MP_DECLARE_CONST_FUN_OBJ_3(vhttp_gzip_copy_obj);

#endif
