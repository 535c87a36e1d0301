# SPDX-License-Identifier: MIT
# The packages of some locks in requirements/, checked by their hashes: what ./scons installs, and
# nothing else.
{
  lib,
  stdenv,
  stdenvNoCC,
  autoPatchelfHook,
  cacert,
  python311,
  zlib,
  pins,
  locks,
}:
let
  lockFile = name: ../requirements + "/${name}.txt";

  # As files, so that the network is needed for this derivation alone.
  wheels =
    name:
    stdenvNoCC.mkDerivation {
      name = "viperhttp-wheels-${name}";
      nativeBuildInputs = [
        cacert
        (python311.withPackages (packages: [
          packages.pip
          packages.setuptools
        ]))
      ];
      buildCommand = ''
        python -m pip download --no-cache-dir --disable-pip-version-check \
          --require-hashes --no-deps --no-build-isolation -r ${lockFile name} -d $out
      '';
      outputHashMode = "recursive";
      outputHash = pins.${name}.nar;
    };

  install = name: ''
    $out/bin/pip install --no-index --find-links ${wheels name} --require-hashes \
      --no-build-isolation -r ${lockFile name}
  '';
in
stdenv.mkDerivation {
  name = "viperhttp-python";
  nativeBuildInputs = [
    autoPatchelfHook
    python311
  ];
  # What the wheels' libraries are linked to.
  buildInputs = [
    stdenv.cc.cc.lib
    zlib
  ];
  buildCommand = ''
    python -m venv $out
    lock=$(mktemp)
    sed -n '/^setuptools==/,/[^\\]$/p' ${lockFile "base"} > $lock
    $out/bin/pip install --no-index --find-links ${wheels "base"} --require-hashes -r $lock
    ${lib.concatMapStrings install locks}
    autoPatchelf $out
  '';
}
