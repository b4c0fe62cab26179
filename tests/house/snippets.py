#!/usr/bin/env python3
"""The snippets of README.md: ```cpp blocks compile, `$ kvasir …` lines of ```console blocks run.

snippets.py ROOT KVASIR CXX: a block without main() is the body of a function. Commands run one after
another in an empty home folder that has the model; `$ scripts/…` lines must name a file that is there,
other commands are not kvasir's. Exit 77: nothing to check, or no model for the commands.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(cpp|console)\n(.*?)^```", re.M | re.S)
MODEL = pathlib.Path(".cache/kvasir/models")


def compile_block(root, compiler, code, folder):
    if "int main" not in code:
        includes = "\n".join(re.findall(r"^#include.*$", code, re.M))
        body = re.sub(r"^#include.*$", "", code, flags=re.M)
        code = f"#include <kvasir/kvasir.h>\n{includes}\nint Snippet() {{\n{body}\nreturn 0;\n}}\n"
    source = folder / "snippet.cc"
    source.write_text(code)
    run = subprocess.run(
        [compiler, "-std=c++20", "-fsyntax-only", f"-I{root / 'sdk' / 'include'}", str(source)],
        capture_output=True, text=True, check=False)
    return run.stderr if run.returncode else ""


def run_command(root, kvasir, line, home):
    if line.startswith("scripts/"):
        return "" if (root / line.split()[0]).is_file() else f"{line}: no such script"
    if not line.startswith("kvasir "):
        return ""
    environment = {"HOME": str(home), "PATH": f"{kvasir.parent}:{os.environ['PATH']}"}
    run = subprocess.run(["bash", "-c", line], cwd=home, env=environment, capture_output=True,
                         text=True, check=False)
    return f"{line}: exit {run.returncode}: {run.stderr}" if run.returncode else ""


def complaints(root, kvasir, compiler, text, with_model):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / MODEL.parent).mkdir(parents=True)
        model = pathlib.Path.home() / MODEL
        if model.is_dir():
            (folder / MODEL).symlink_to(model)
        for page in ("docs", "README.md"):
            if (root / page).exists():
                (folder / page).symlink_to(root / page)
        for kind, body in BLOCK.findall(text):
            if kind == "cpp":
                yield compile_block(root, compiler, body, folder)
            elif with_model:
                for line in re.findall(r"^\$ (.*)$", body, re.M):
                    yield run_command(root, kvasir, line, folder)


def main():
    root, kvasir, compiler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    planted = "```cpp\nnot_kvasir::Memory m;\n```\n```console\n$ kvasir no-such-command\n```\n"
    if not all(complaints(root, kvasir, compiler, planted, True)):
        print("a planted mistake went through")
        return 1
    readme = root / "README.md"
    text = readme.read_text() if readme.exists() else ""
    if not BLOCK.search(text):
        print("skipped: README.md has no snippet")
        return 77
    with_model = any((pathlib.Path.home() / MODEL).glob("*.gguf"))
    found = [words for words in complaints(root, kvasir, compiler, text, with_model) if words]
    print("\n".join(found) or "every snippet works")
    if found:
        return 1
    if not with_model:
        print("skipped: commands need the model (`kvasir model pull`); only code was checked")
        return 77
    return 0


if __name__ == "__main__":
    shutil.which("bash") or sys.exit("no bash")
    sys.exit(main())
