# SPDX-License-Identifier: MIT
# `nix run .#flash -- PORT=…`, in a clone.
{
  gcc,
  git,
  gnumake,
  util-linux,
  writeShellApplication,
  python,
}:
writeShellApplication {
  name = "viperhttp-flash";
  runtimeInputs = [
    gcc
    git
    gnumake
    python
    util-linux
  ];
  text = ''exec python -m SCons -Q flash "$@"'';
}
