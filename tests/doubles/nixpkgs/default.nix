# SPDX-License-Identifier: MIT
# A stand-in for nixpkgs, of what our expressions use of it: packages that build nothing, and
# derivations that can be instantiated without network. What it calls by name is real Nix.
let
  system = "x86_64-linux";
  made =
    name: more:
    derivation (
      {
        inherit name system;
        builder = "/bin/sh";
      }
      // more
    );
  mkDerivation = attributes: made attributes.name (removeAttrs attributes [ "passthru" ]);
  lib = {
    inherit (builtins) concatStringsSep;
    cleanSource = source: builtins.path { path = source; filter = path: type: false; name = "src"; };
    concatStrings = builtins.concatStringsSep "";
    concatMapStrings = f: list: builtins.concatStringsSep "" (map f list);
    mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
    optional = condition: value: if condition then [ value ] else [ ];
    optionalString = condition: value: if condition then value else "";
  };
  packages = builtins.listToAttrs (
    map
      (name: {
        inherit name;
        value = made name { };
      })
      [
        "autoPatchelfHook"
        "cacert"
        "ccache"
        "cmake"
        "curl"
        "dosfstools"
        "gcc"
        "git"
        "gnumake"
        "mtools"
        "ninja"
        "util-linux"
        "zlib"
      ]
  );
  pkgs = packages // {
    inherit lib;
    stdenv = {
      inherit mkDerivation;
      cc.cc.lib = made "cc-lib" { };
    };
    stdenvNoCC = { inherit mkDerivation; };
    python311 = made "python3" { } // {
      withPackages =
        choose:
        made "python3-with" {
          packages = choose {
            pip = made "pip" { };
            setuptools = made "setuptools" { };
          };
        };
    };
    runCommand = name: attributes: buildCommand: made name (attributes // { inherit buildCommand; });
    writeShellApplication = attributes: made attributes.name attributes;
    mkShell = attributes: made "shell" attributes;
    # Fetchers are derivations that say what they were asked for.
    fetchurl = { url, sha256 }: made "archive" { inherit url sha256; };
    fetchGit = attributes: made "checkout" { inherit (attributes) url rev; };
    callPackage =
      path: given:
      let
        function = import path;
      in
      function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // given);
  };
in
{
  legacyPackages.${system} = pkgs;
}
