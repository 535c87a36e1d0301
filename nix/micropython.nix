# SPDX-License-Identifier: MIT
# MicroPython by its commit, with the submodules that the ESP32 needs.
{
  fetchGit ? builtins.fetchGit,
  lib,
  runCommand,
  pin,
}:
let
  checkout =
    of:
    fetchGit {
      inherit (of) url;
      rev = of.commit;
      allRefs = true;
    };
in
runCommand "micropython-${pin.version}" { } ''
  cp -r ${checkout pin} $out
  chmod -R u+w $out
  ${lib.concatStrings (
    lib.mapAttrsToList (path: of: ''
      rm -rf $out/${path}
      cp -r ${checkout of} $out/${path}
    '') pin.submodules
  )}
''
