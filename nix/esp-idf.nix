# SPDX-License-Identifier: MIT
# ESP-IDF by its commit, and the tools of it that an ESP32-S3 needs, by the hashes of its own
# tools/tools.json.
{
  autoPatchelfHook,
  cmake,
  fetchGit ? builtins.fetchGit,
  fetchurl,
  lib,
  ninja,
  python311,
  stdenv,
  zlib,
  pin,
}:
let
  source = fetchGit {
    inherit (pin) url;
    rev = pin.commit;
    ref = "refs/tags/${pin.version}";
    submodules = true;
  };
  archives = lib.mapAttrsToList (
    name: archive: fetchurl { inherit (archive) url sha256; }
  ) pin.tools;
in
stdenv.mkDerivation {
  name = "esp-idf-${pin.version}";
  nativeBuildInputs = [ autoPatchelfHook ];
  buildInputs = [
    python311
    stdenv.cc.cc.lib
    zlib
  ];
  propagatedBuildInputs = [
    cmake
    ninja
  ];
  buildCommand = ''
    mkdir -p $out/tools
    cp -r ${source} $out/esp-idf
    for archive in ${lib.concatStringsSep " " archives}; do tar -xf $archive -C $out/tools; done
    autoPatchelf $out/tools
  '';
}
