"""Run in a process of its own: what a real module of TensorRT or CUDA has of our table, as JSON on stdout.

``probe.py tensorrt_bindings`` or ``probe.py cuda``, with the module on PYTHONPATH and the stub libraries on LD_LIBRARY_PATH.
"""

from __future__ import annotations

import json
import os
import re
import sys
from importlib import import_module
from typing import Any

from edgeau.runtimes.tensorrt.api import CUDA, TENSORRT, Member
from edgeau.runtimes.tensorrt.cuda import import_cudart


def main() -> None:
    if sys.argv[1] == "cuda":
        module, members, version = import_cudart(), CUDA, None
        signatures = of_cython
    else:
        sys.setdlopenflags(os.RTLD_LAZY)  # the stubs lack what is never called
        module = import_module(sys.argv[1])
        members, version, signatures = TENSORRT, module.__version__, of_pybind
    facts = {member.name: fact(module, member, signatures) for member in members}
    json.dump({"version": version, "module": module.__name__, "members": facts}, sys.stdout)


def fact(module: Any, member: Member, signatures: Any) -> Any:
    """None where the member is missing, [] where it is no callable, else one list of argument names a signature."""
    owner = module
    for part in member.name.split("."):
        if not hasattr(owner, part) or inherited_init(owner, part):
            return None
        owner = getattr(owner, part)
    if member.takes is None:
        return []
    return signatures(owner.__init__ if isinstance(owner, type) else owner)


def inherited_init(owner: Any, part: str) -> bool:
    return part == "__init__" and owner.__init__ is object.__init__


def of_pybind(function: Any) -> list[list[str]]:
    """``name(self: C, a: int, b: str = None) -> R``; overloads are numbered. The names of the arguments, without self."""
    lines = [
        line for line in (function.__doc__ or "").splitlines() if re.match(r"(\d+\. )?\w+\(.*\) ->", line)
    ]
    return [
        [part for part in re.findall(r"(\w+): ", line.split("(", 1)[1]) if part != "self"] for line in lines
    ]


def of_cython(function: Any) -> list[list[str]]:
    """``name(size_t size, kind: cudaMemcpyKind, stream)``."""
    text = (function.__doc__ or "").strip().splitlines()[0]
    inside = text[text.index("(") + 1 : text.rindex(")")]
    parts = [part.strip() for part in inside.split(",") if part.strip()]
    return [[part.split(":")[0].split()[-1] for part in parts]]


if __name__ == "__main__":
    main()
