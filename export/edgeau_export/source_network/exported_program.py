"""Loading an ExportedProgram (``.pt2``) without running what it says.

``torch.export.load`` trusts its file: it unpickles weights and example inputs, evaluates expressions of shapes as Python, compiles
guards to Python, calls any function of ``torch`` that a node names, and opens shared libraries of AOTInductor. Here the archive is
read first, everything that would run is refused, and torch is given a new archive of what was looked at.
"""

from __future__ import annotations

import ast
import inspect
import io
import os
import pickle
import re
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from edgeau._system.first_line import first_line
from edgeau._system.json_text import parse_json
from edgeau.errors import CheckpointError

__all__ = ["load_program", "module_of"]

_NATIVE = re.compile(r"(^|/)data/aotinductor/|\.(so|dll|dylib|pyd)$", re.IGNORECASE)
_MOST = 8 << 30  # bytes that the members together may unpack to
_OPERATORS = re.compile(
    r"torch\.ops\.(aten|prims|higher_order|torchvision|quantized_decomposed)\.(?!from_file\b|save\b)\w+(\.\w+)?"
    r"|_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|pos|abs|lt|le|gt|ge|eq|ne|and_|or_|xor|not_|getitem|index)"
    r"|math\.(ceil|floor|trunc|sqrt|pow|log2)"
    r"|torch\._?sym_\w+"
)
# What torch prints of shapes (sympy's srepr and str).
_FUNCTIONS = re.compile(
    r"Abs|Add|And|CeilDiv|CeilToInt|CleanDiv|Eq|Equality|Float|FloatPow|FloatTrueDiv|FloorDiv|FloorToInt"
    r"|Ge|Gt|Identity|Integer|IntTrueDiv|LShift|Le|Lt|Max|Min|Mod|ModularIndexing|Mul|Ne|Not|Or"
    r"|OpaqueUnaryFn_sqrt|Piecewise|Pow|PowByNatural|PythonMod|RShift|Rational|RoundDecimal|RoundToInt"
    r"|Symbol|ToFloat|TruncToFloat|TruncToInt|Where|ceiling|floor|sqrt"
)
_PARTS = (
    ast.Expression,
    ast.Name,
    ast.Load,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.keyword,
)
_LONGEST = 4096
_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_forcing = threading.Lock()


def load_program(path: Path) -> torch.export.ExportedProgram:
    """An ExportedProgram of a file from anybody.

    Raises:
        CheckpointError: it is missing, damaged, written by another torch, or would run code.
    """
    if not path.is_file():
        raise CheckpointError(f"weights {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    archive = _checked(path)
    try:
        with _weights_only():
            return torch.export.load(archive)
    except pickle.UnpicklingError as error:
        raise _refused(path, "a part of it is a pickle of more than tensors") from error
    except Exception as error:  # a damaged file can raise anything
        raise CheckpointError(
            f"{path} is not an ExportedProgram that this torch reads: {first_line(error)}"
        ) from error


def module_of(program: torch.export.ExportedProgram) -> torch.nn.Module:
    """Its module, without the guards of its inputs: torch makes Python of their text, and cannot trace what takes their place."""
    options = inspect.signature(program.module).parameters  # torch 2.9 and newer have guards
    module: Any = program.module(check_guards=False) if "check_guards" in options else program.module()
    module.validate_inputs = False
    return module  # type: ignore[no-any-return]


def _checked(path: Path) -> io.BytesIO:
    """The archive written anew from what was looked at: two readers of ZIP files may see two files in one."""
    content = io.BytesIO()
    try:
        with zipfile.ZipFile(path) as given, zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as made:
            members = given.infolist()
            if sum(member.file_size for member in members) > _MOST:
                raise CheckpointError(f"{path} unpacks to more than {_MOST >> 30} GiB")
            seen: set[str] = set()
            for member in members:
                name = member.filename
                if name in seen:
                    raise CheckpointError(f"{path} is damaged: {name} is in it twice")
                seen.add(name)
                if _NATIVE.search(name):
                    raise _refused(path, f"it holds compiled code ({name})")
                held = given.read(member)
                if name.endswith(".json"):
                    _check_text(path, held)
                made.writestr(name, held)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path} is not an ExportedProgram: it is not a complete ZIP archive ({error})"
        ) from error
    content.seek(0)
    return content


def _check_text(path: Path, text: bytes) -> None:
    try:
        values = parse_json(text)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged: a part of it is not JSON ({error})") from error
    for record in _records(values):
        expression, target = record.get("expr_str"), record.get("target")
        if expression is not None and not _is_arithmetic(expression):
            raise _refused(
                path, f"an expression of a shape is more than arithmetic ({str(expression)[:60]!r})"
            )
        # A record with inputs is a call; others have targets that name weights.
        if "inputs" in record and target is not None and not _is_operator(target):
            raise _refused(path, f"it calls {str(target)[:60]!r}, which is not an operator of a network")


def _records(values: Any) -> Iterator[dict[str, Any]]:
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _is_operator(target: Any) -> bool:
    return isinstance(target, str) and _OPERATORS.fullmatch(target) is not None


def _is_arithmetic(expression: Any) -> bool:
    """Tell whether sympy, which evaluates the text as Python, would do no more than arithmetic."""
    if not isinstance(expression, str) or len(expression) > _LONGEST or not expression.isascii():
        return False
    try:
        return _is_allowed(ast.parse(expression.strip(), mode="eval"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_allowed(part: ast.AST) -> bool:
    if isinstance(part, ast.Constant):  # sympy evaluates text inside of text
        return isinstance(part.value, bool | int | float)
    if isinstance(part, ast.Call):
        if not isinstance(part.func, ast.Name) or not _FUNCTIONS.fullmatch(part.func.id):
            return False
        arguments: list[ast.AST] = [*part.args, *part.keywords]
        if part.func.id == "Symbol" and part.args and isinstance(part.args[0], ast.Constant):
            arguments = arguments[1:]  # its name
        return all(map(_is_allowed, arguments))
    return isinstance(part, _PARTS) and all(map(_is_allowed, ast.iter_child_nodes(part)))


@contextmanager
def _weights_only() -> Iterator[None]:
    """Make every ``torch.load`` inside refuse pickles of more than tensors, whatever its caller asks for."""
    with _forcing:
        before = os.environ.get(_FORCE)
        os.environ[_FORCE] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FORCE]
            else:
                os.environ[_FORCE] = before


def _refused(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} would run code when it is opened, so it is not: {what}; where it was made, save the weights alone: "
        "torch.save(model.state_dict(), 'weights.pth')"
    )
