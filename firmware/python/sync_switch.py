# SPDX-License-Identifier: MIT
"""The switch of a sync: files take their places, all of them or none, whatever cuts it off.

    /.sync/<name>    a file that waits for its place; with a "~" behind it, one that is not whole
    /.sync/intent    a switch under way: renamed into place when all that it names waits
    /.sync/ours      what syncs and flashes have put on this device, and is not the user's ...
    /.sync/ours.<n>  ... and the intents that were done since, which say what has changed of it

An intent is done from its beginning as often as it takes: each step sees whether it is done
already. The frozen boot.py does so before anything of the user's runs. A step is done only while
the file that it is about is what the intent expects; otherwise it is the user's, and left alone.

They have a record to a line, its fields between tabs. A digest is a SHA-256 in hex.

    +  path  digest  name  before   what waits as `name` takes the place of `before`, "" for nothing
    ?  path  digest  name  ""       the same for a file that is the user's from then on
    -  path  digest                 the file is removed
    >  path  path                   a file or folder gets another name

    =  path  digest                 is ours
    .  path  digest                 was ours, and is served until the next sync
    !  path  digest  digest         is the user's, though the second was to be here
    x  path                         is nothing of ours any more

In `ours` are those of the last group alone.
"""

import binascii
import hashlib
import os

FOLDER = "/.sync"
OURS = FOLDER + "/ours"
INTENT = FOLDER + "/intent"

_DONE = 8  # intents beside OURS, until they are written into it
_IS_FOLDER = 0x4000  # in the mode that os.stat and os.ilistdir give
_CHUNK = 4096


def records(path):
    """The records of a file; none if it is not there."""
    try:
        file = open(path)
    except OSError:
        return
    with file:
        for line in file:
            yield line[:-1].split("\t")


def unexpected(intent):
    """The paths for which an intent expects something else than what is there."""
    changed = []
    for action, path, *more in records(intent):
        if action in "+?-" and not is_folder(path):
            before = more[0] if action == "-" else more[2]
            if digest(path) not in (None, more[0], before):
                changed.append(path)
    return changed


def begin(intent):
    """Makes an intent that waits under another name the one that is done."""
    if not is_file(OURS):
        open(OURS, "w").close()
    os.rename(intent, INTENT)


def complete(moved=lambda path: None):
    """Does what INTENT says, if it is there. See `steps`; returns what is `left`."""
    left = []
    for _ in steps(left, moved):
        pass
    return left


def steps(left, moved):
    """Does what INTENT says, if it is there, step by step: the number of each.

    `left` gets the paths that are the user's and were left alone, and `moved` takes the path of
    everything that is another file now, or none. OSError if the file system is full or fails.
    """
    _mend()
    for number, (action, path, *more) in enumerate(records(INTENT)):
        done = True
        if action in "+?":
            done = _place(path, *more)
        elif action == "-":
            done = _remove_if(path, more[0])
        elif action == ">":
            done = _rename(path, more[0])
            moved(more[0])
        if action in "+?->":
            moved(path)
            yield number
        if not done:
            left.append(path)
    if is_file(INTENT):
        _note(left)


def complete_at_start():
    """The same before the application starts, which must not fail."""
    try:
        if is_file(INTENT):
            print("sync: ends what was cut off", *complete())
    except (OSError, ValueError) as error:
        print("sync: what was cut off cannot be ended:", error)


# ---- Steps


def _place(path, wanted, name, before):
    waiting = FOLDER + "/" + name
    copy = waiting + "~"
    if digest(copy) == wanted:  # this very step was cut off
        _untangle(path, waiting, copy)
        return True
    if not is_file(waiting):
        return True
    there = digest(path)
    if there == wanted:
        copy_file(path, copy)
        _untangle(path, waiting, copy)
        return True
    if there not in (None, before) or (is_folder(path) and not _remove_empty_below(path)):
        os.remove(waiting)
        return False
    make_folder(path.rpartition("/")[0])
    os.rename(waiting, path)
    return True


def _untangle(path, waiting, copy):
    """Puts a copy in the place of two names that may be of the same clusters: a cut between the
    two sectors that a rename writes leaves a FAT so."""
    for name in (path, waiting):
        if is_file(name):
            os.remove(name)
    os.rename(copy, path)


def _remove_if(path, expected):
    there = digest(path)
    if there not in (None, expected):
        return False
    if there is not None:
        os.remove(path)
    remove_empty(path.rpartition("/")[0])
    return True


def _rename(path, new):
    try:
        os.rename(path, new)
    except OSError:
        return is_file(new) or is_folder(new)
    return True


# ---- What is ours


def notes():
    """The files that say what is ours, the first one first."""
    done = (OURS + ".%d" % number for number in range(1, _DONE + 2))
    return [OURS] + [path for path in done if is_file(path)]


def noted():
    """The records of what is ours now."""
    renamed = []
    changes = {}  # by path as it is now, the record that it has since; None if it has none
    for path in notes()[1:]:
        for record in records(path):
            action, path = record[:2]
            if action == ">":
                renamed.append((path, record[2]))
                changes = {_renamed(each, renamed[-1:]): changes[each] for each in changes}
            elif action == "+":
                changes[path] = ["=", path, record[2]]
            else:
                changes[path] = None if action in "?-x" else record
    for record in records(OURS):
        record[1] = _renamed(record[1], renamed)
        if record[1] not in changes:
            yield record
    for path in changes:
        if changes[path]:
            action, _, *more = changes[path]
            yield [action, path] + more


def _renamed(path, renamed):
    for old, new in renamed:
        if path == old or path.startswith(old + "/"):
            path = new + path[len(old) :]
    return path


def _note(left):
    """Notes that the intent is done, but for what was left alone."""
    number = len(notes())
    done = OURS + ".%d" % number
    renames = any(record[0] == ">" for record in records(INTENT))
    if left:
        with open(OURS + ".%d" % (number + 1), "w") as file:
            for path in left:
                file.write("x\t%s\n" % path)
    os.rename(INTENT, done)
    if renames or left or number == _DONE:
        _write_down()


def _write_down():
    """Writes what is ours into one file. The others go oldest first: what they say last counts."""
    new = OURS + "~"
    with open(new, "w") as file:
        for record in noted():
            file.write("\t".join(record) + "\n")
    done = notes()[1:]
    os.rename(new, OURS)
    for path in done:
        os.remove(path)


def _mend():
    """Ends a renaming of OURS: a FAT removes the old one before it renames the new one."""
    if is_file(OURS + "~") and not is_file(OURS):
        os.rename(OURS + "~", OURS)


# ---- Files


def digest(*paths):
    """The SHA-256 of files, one after the other, in hex; None if one is no file."""
    hashed = hashlib.sha256()
    for path in paths:
        try:
            file = open(path, "rb")
        except OSError:
            return None
        with file:
            for piece in _pieces(file):
                hashed.update(piece)
    return binascii.hexlify(hashed.digest()).decode()


def copy_file(path, copy):
    """Writes a copy; the digest of what it has read."""
    hashed = hashlib.sha256()
    with open(path, "rb") as source, open(copy, "wb") as target:
        for piece in _pieces(source):
            hashed.update(piece)
            target.write(piece)
    return binascii.hexlify(hashed.digest()).decode()


def is_file(path):
    """Whether there is a file at a path."""
    return _mode(path) not in (None, _IS_FOLDER)


def is_folder(path):
    """Whether there is a folder at a path."""
    return _mode(path) == _IS_FOLDER


def make_folder(path):
    """Makes a folder, and those that it is in, where they are not there. OSError if it cannot."""
    if path and not is_folder(path):
        make_folder(path.rpartition("/")[0])
        os.mkdir(path)


def remove_empty(folder):
    """Removes a folder if it is empty, and then those that it was in likewise."""
    while folder and folder != FOLDER:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = folder.rpartition("/")[0]


def _remove_empty_below(folder):
    """Removes a folder that has nothing but folders in it; whether it could."""
    for entry in list(os.ilistdir(folder)):
        if not entry[1] & _IS_FOLDER or not _remove_empty_below(folder + "/" + entry[0]):
            return False
    os.rmdir(folder)
    return True


def _mode(path):
    try:
        return os.stat(path)[0] & _IS_FOLDER
    except OSError:
        return None


def _pieces(file):
    buffer = memoryview(bytearray(_CHUNK))
    count = file.readinto(buffer)
    while count:
        yield buffer[:count]
        count = file.readinto(buffer)
