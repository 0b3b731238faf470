"""Translate Python modules to C with mypyc, mypy's compiler. It runs in a process of its own, in the folder of the packages.

``python ops/packaging/translation.py <folder> <version> <library> <module>...`` writes into the folder: the modules together, as one library of
that name, and for each module the file that makes it importable. It prints the modules' paths, then the names of the files, one a line: first
the library's, then a module's each, in order.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mypyc.build import generate_c_extension_shim, mypyc_build
from mypyc.options import CompilerOptions

_MYPY_OPTIONS = [
    "--config-file=",
    "--explicit-package-bases",
    "--namespace-packages",
    "--ignore-missing-imports",  # what is not installed here has no types
    "--follow-imports=silent",
    "--cache-dir=/dev/null",
]


def main() -> None:
    """Translate what the command line names."""
    folder, version, library, *modules = sys.argv[1:]
    major, minor = version.split(".")
    options = CompilerOptions(
        target_dir=folder,
        capi_version=(int(major), int(minor)),
        group_name=library,
        include_runtime_files=True,  # all in one file
    )
    paths = [f"{module.replace('.', '/')}.py" for module in modules]
    [(sources, _)], [(c_files, _)], _ = mypyc_build(
        [*_MYPY_OPTIONS, *paths], options, always_use_shared_lib=True
    )
    [together] = [name for name in c_files if name.endswith(".c")]
    print(Path(together).relative_to(folder))
    for source in sorted(sources, key=lambda each: modules.index(each.module)):
        name = source.module.rpartition(".")[2]
        print(Path(generate_c_extension_shim(source.module, name, folder, library)).relative_to(folder))


if __name__ == "__main__":
    main()
