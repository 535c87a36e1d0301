# SPDX-License-Identifier: MIT
# The test suite in the sandbox.
{
  lib,
  stdenv,
  curl,
  dosfstools,
  git,
  util-linux,
  zlib,
  python,
  micropython,
}:
stdenv.mkDerivation {
  name = "viperhttp-tests";
  src = lib.cleanSource ../.;
  nativeBuildInputs = [
    curl
    dosfstools
    git
    python
    util-linux
    zlib
  ];
  MICROPYTHON = micropython;
  buildPhase = ''
    cp -r $MICROPYTHON micropython && chmod -R u+w micropython
    git init -q && git add -A
    python -m SCons -Q test MICROPYTHON=micropython
  '';
  installPhase = "touch $out";
}
