#!/usr/bin/env python3
"""clang-tidy over the product's sources, in parallel, each file once per content.

tidy.py ROOT BUILD [--all]: reads BUILD/compile_commands.json; remembers clean files in BUILD/../tidy by
the hash of the file, every header of the tree that it reaches, and the configuration. Without --all only
the files of tests/house/tidy_clean.txt are looked at: those that are known to be clean and have to stay
so; over everything it takes longer than a build. Exit 77: no clang-tidy here. The first thing checked is a
planted mistake.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDERS = ("sdk", "agent", "model", "compute", "storage", "http", "gpu", "examples")
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)
# The analyser's path-sensitive checks take most of the time; they run where foreign bytes are read.
HOSTILE = re.compile(r"(gguf|safetensors|json|segment|keys|coding|files|config_file|memory_row|utf8)")


def reached(root, path, seen):
    """The files of the tree that `path` includes, itself first, each once."""
    if path in seen:
        return
    seen[path] = path.read_bytes()
    for name in INCLUDE.findall(seen[path]):
        for base in (root, root / "sdk" / "include"):
            header = base / name.decode()
            if header.is_file():
                reached(root, header, seen)


def fingerprint(root, path, command):
    seen = {}
    reached(root, path, seen)
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes() + command.encode())
    for content in seen.values():
        digest.update(content)
    return digest.hexdigest()


def tidy(build, path):
    """Whether the file is clean, and clang-tidy's words."""
    # A macro that declares a variable cannot put its name in parentheses.
    checks = "-bugprone-macro-parentheses"
    if not HOSTILE.search(path.name):
        checks += ",-clang-analyzer-*"
    arguments = ["clang-tidy", "--quiet", "-p", str(build), f"--checks={checks}"]
    # -Wno-unknown: flags of another compiler in the database are not this test's subject.
    arguments += ["--extra-arg=-Wno-unknown-warning-option", str(path)]
    run = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stdout + run.stderr


def planted_mistake_is_found(root):
    with tempfile.TemporaryDirectory(dir=root / "build" if (root / "build").is_dir() else None) as folder:
        path = pathlib.Path(folder) / "planted.cc"
        path.write_text("struct A { virtual void F(); };\nstruct B : A { virtual void F(); };\n")
        run = subprocess.run(
            ["clang-tidy", "--quiet", f"--config-file={root / '.clang-tidy'}", str(path), "--", "-std=c++20"],
            capture_output=True, text=True, check=False)
        return "modernize-use-override" in run.stdout


def main():
    root, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    if shutil.which("clang-tidy") is None:
        print("skipped: no clang-tidy")
        return 77
    if not planted_mistake_is_found(root):
        print("clang-tidy accepts a planted mistake")
        return 1
    everything = "--all" in sys.argv[3:]
    gated = set((root / "tests" / "house" / "tidy_clean.txt").read_text().split())
    clean = build.parent / "tidy"
    clean.mkdir(parents=True, exist_ok=True)
    marks = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not path.is_relative_to(root) or path.is_relative_to(build):
            continue
        name = path.relative_to(root)
        if name.parts[0] in FOLDERS and (everything or str(name) in gated):
            gated.discard(str(name))
            mark = clean / fingerprint(root, path, entry["command"])
            if not mark.exists():
                marks[path] = mark
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(tidy, build, path): path for path in sorted(marks)}
        for run in concurrent.futures.as_completed(runs):
            path = runs[run]
            ok, words = run.result()
            if ok:
                marks[path].touch()
            else:
                failed += 1
                print(f"== {path.relative_to(root)}\n{words}")
    for name in sorted(gated):
        print(f"tests/house/tidy_clean.txt names {name}, which is not compiled")
    print(f"{len(marks)} files looked at, {failed} with complaints")
    return 1 if failed or gated else 0


if __name__ == "__main__":
    sys.exit(main())
