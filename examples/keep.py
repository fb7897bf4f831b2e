#!/usr/bin/env python3
"""A command for canfar-split's --keep: it is started once, and handles one file after the other.

    canfar-split run -j 2 'data/*.fits' --keep -- ./keep.py OUT

Whatever takes seconds to import is imported once. Each line on stdin is a file; each is answered with one line on stdout:
done, failed TEXT or rejected TEXT. Everything else goes to stderr, or to stdout as lines that are not one of these; it is kept as
this file's output. Bytes of a name that are not UTF-8 come and go unharmed: they are read as the file system's.
"""
import os
import sys


def measure(name, out):
    """Writes the number of bytes of a file, as a catalogue would be written: under its name only when it is whole."""
    with open(name, "rb") as file:
        data = file.read()
    if not data:
        return "rejected the file is empty"
    path = os.path.join(out, os.path.basename(name) + ".cat")
    attempt = "%s.%d" % (path, os.getpid())  # another attempt may run elsewhere at the same time
    with open(attempt, "w") as catalogue:
        print(len(data), file=catalogue)
    os.rename(attempt, path)
    return "done"


def main():
    out = sys.argv[1]
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever name is in an error's text
    os.makedirs(out, exist_ok=True)
    for line in sys.stdin.buffer:  # not sys.stdin: names are bytes
        name = os.fsdecode(line.rstrip(b"\n"))
        try:
            answer = measure(name, out)
        except Exception as error:  # this file has failed; the next one need not
            answer = "failed %s: %s" % (type(error).__name__, error)
        print(answer.replace("\n", " "), flush=True)


main()
