# The packages of requirements.txt, checked by its hashes: what ./scons installs, and nothing else.
{
  stdenv,
  stdenvNoCC,
  autoPatchelfHook,
  cacert,
  python311,
  zlib,
  pin,
}:
let
  # As files, so that the network is needed for this derivation alone.
  wheels = stdenvNoCC.mkDerivation {
    name = "viperhttp-wheels";
    nativeBuildInputs = [
      cacert
      (python311.withPackages (packages: [
        packages.pip
        packages.setuptools
      ]))
    ];
    buildCommand = ''
      python -m pip download --no-cache-dir --disable-pip-version-check \
        --require-hashes --no-deps --no-build-isolation -r ${../requirements.txt} -d $out
    '';
    outputHashMode = "recursive";
    outputHash = pin.nar;
  };
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
    sed -n '/^setuptools==/,/[^\\]$/p' ${../requirements.txt} > $lock
    $out/bin/pip install --no-index --find-links ${wheels} --require-hashes -r $lock
    $out/bin/pip install --no-index --find-links ${wheels} --require-hashes \
      --no-build-isolation -r ${../requirements.txt}
    autoPatchelf $out
  '';
}
