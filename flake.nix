# SPDX-License-Identifier: MIT
{
  description = "ViperHTTP: an HTTP server in C beside MicroPython, and its build graph";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs =
    { self, nixpkgs }:
    let
      # The packages of requirements/ are pinned as wheels for this platform.
      system = "x86_64-linux";
      parts = import ./nix { pkgs = nixpkgs.legacyPackages.${system}; };
    in
    {
      packages.${system} = {
        default = parts.virtual;
        inherit (parts) virtual esp32s3;
      };
      apps.${system}.flash = {
        type = "app";
        program = "${parts.flash}/bin/viperhttp-flash";
      };
      checks.${system}.tests = parts.tests;
      devShells.${system}.default = parts.shell;
    };
}
