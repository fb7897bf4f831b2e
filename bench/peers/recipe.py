"""The recipe of the CANFAR documents, written afresh: an unsorted glob, and the arithmetic of chunk and stripe.

usage: recipe.py chunk|stripe K R glob PATTERN | recipe.py chunk|stripe K R list FILE
"""

import glob
import sys


def chunk(items, k, r):
    if len(items) < r:
        return items[k - 1 : k]
    size = len(items) // r
    return items[(k - 1) * size : k * size if k < r else len(items)]


def stripe(items, k, r):
    return items[k - 1 :: r]


strategy, k, r, source, name = sys.argv[1:]
if source == "glob":
    items = glob.glob(name)
else:
    with open(name) as lines:
        items = lines.read().splitlines()
share = {"chunk": chunk, "stripe": stripe}[strategy](items, int(k), int(r))
sys.stdout.writelines(item + "\n" for item in share)
