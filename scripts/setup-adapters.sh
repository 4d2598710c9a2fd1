#!/usr/bin/env bash
# Builds the adapters of impl/adapters/ that need building, and makes a Python in .adapters/ with NumPy, JAX, ONNX and
# ONNX Runtime, whose graphs it writes. Needs `npm run build`; gcc, make and libcjson-dev; cargo; go; python3 with venv:
# what lacks them is left out, and said so.
# PyTorch comes from Debian's python3-torch, or `.adapters/bin/pip install torch`. Usage: bash scripts/setup-adapters.sh
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
failed=0

build() { # name, command...
  local name=$1
  shift
  if "$@"; then echo "setup-adapters: $name is ready"; else
    echo "setup-adapters: $name could not be built" >&2
    failed=1
  fi
}

python() {
  python3 -m venv .adapters &&
    .adapters/bin/pip install --quiet --disable-pip-version-check -r impl/adapters/python/requirements.txt
}

build python python
build onnx node dist/fixtures/exports/generate-onnx-pools.js impl/adapters/python/onnx
build c make --quiet -C impl/adapters/c
build rust cargo build --quiet --release --locked --manifest-path impl/adapters/rust/Cargo.toml
build go go build -C impl/adapters/go -o pool-harness
exit "$failed"
