// Which viperhttp this is.
#ifndef VHTTP_BUILD_INFO_H
#define VHTTP_BUILD_INFO_H

#define VHTTP_VERSION "0.1.0"

// Digest of the firmware's inputs and toolchain, from the build.
extern const char vhttp_build_id[];

#endif
