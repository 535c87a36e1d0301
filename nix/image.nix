# SPDX-License-Identifier: MIT
# A board's flash image, made by the graph in the sandbox, without network.
{
  lib,
  stdenv,
  git,
  util-linux,
  python,
  micropython,
  esp-idf ? null,
  board,
}:
stdenv.mkDerivation {
  name = "viperhttp-${board}";
  src = lib.cleanSource ../.;
  nativeBuildInputs = [
    git
    python
    util-linux
  ]
  ++ lib.optional (esp-idf != null) esp-idf;
  MICROPYTHON = micropython;
  IDF_PATH = lib.optionalString (esp-idf != null) "${esp-idf}/esp-idf";
  buildPhase = ''
    cp -r $MICROPYTHON micropython && chmod -R u+w micropython
    python -m SCons -Q -j$NIX_BUILD_CORES image BOARD=${board} MICROPYTHON=micropython
  '';
  installPhase = ''
    cp -r build/${board} $out
    rm -rf $out/firmware
  '';
}
