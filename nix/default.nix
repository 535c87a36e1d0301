# SPDX-License-Identifier: MIT
# Everything that the flake offers, by name. Each fetched input is pinned in pins.json, which the
# graph reads too.
{
  pkgs,
  pins ? builtins.fromJSON (builtins.readFile ./pins.json),
}:
let
  packages =
    locks:
    pkgs.callPackage ./python.nix {
      pins = pins.python-packages;
      inherit locks;
    };
  python = packages [ "base" ];
  pythonForTests = packages [
    "base"
    "test"
  ];
  micropython = pkgs.callPackage ./micropython.nix { pin = pins.micropython; };
  esp-idf = pkgs.callPackage ./esp-idf.nix { pin = pins.esp-idf; };
  image = pkgs.callPackage ./image.nix;
in
{
  inherit python micropython esp-idf;
  virtual = image {
    inherit python micropython;
    board = "VIRTUAL_N16R8";
  };
  esp32s3 = image {
    inherit python micropython esp-idf;
    board = "ESP32S3_N16R8";
  };
  flash = pkgs.callPackage ./flash.nix { inherit python; };
  tests = pkgs.callPackage ./tests.nix {
    python = pythonForTests;
    inherit micropython;
  };
  shell = pkgs.callPackage ./shell.nix {
    python = pythonForTests;
    inherit esp-idf;
  };
}
