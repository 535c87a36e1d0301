# SPDX-License-Identifier: MIT
# A shell with all that the graph drives: `nix develop`.
{
  ccache,
  curl,
  dosfstools,
  gcc,
  git,
  gnumake,
  mkShell,
  mtools,
  util-linux,
  python,
  esp-idf,
}:
mkShell {
  packages = [
    ccache
    curl
    dosfstools
    esp-idf
    gcc
    git
    gnumake
    mtools
    python
    util-linux
  ];
  IDF_PATH = "${esp-idf}/esp-idf";
}
