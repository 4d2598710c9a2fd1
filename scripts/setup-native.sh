#!/usr/bin/env bash
# Builds the `tensorflow` backend into .native/ where the vendor's download of @tensorflow/tfjs-node is unreachable.
# Needs Linux x86_64, npm's and PyPI's registries, python3 with pip, g++, make and Node's headers; takes about a minute,
# 214 MB of download and 0.5 GB of disk. `npm ci` leaves .native/ alone. Usage: npm run setup:native [-- --force]
set -euo pipefail

say() { echo "setup-native: $*"; }
die() { echo "setup-native: $*" >&2; exit 1; }

FORCE=
case "${1:-}" in
  '') ;;
  --force) FORCE=1 ;;
  *) die "unknown argument \"$1\", expected --force or nothing" ;;
esac

# TensorFlow 2.16.2 is the newest that passes all of tfjs-core's own tests through this binding.
TENSORFLOW=2.16.2
WHEEL_SHA256=c855cb6bf05d32dd5928086b03a5f6b4189b63c22b95e017703cbee4291023ca
NAPI=8 # N-API 8: one build serves Node 20 and every later one

cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
NATIVE=$ROOT/.native

# Loads tfjs-node as the project will (impl/tfjs/backends.ts) and checks a product and a gradient.
proof() {
  TF_CPP_MIN_LOG_LEVEL=2 node - "$1" "$TFJS" "$TENSORFLOW" <<'JS'
const [folder, tfjs, tensorflow] = process.argv.slice(2);
const tf = require('node:module').createRequire(`${folder}/x.js`)('@tensorflow/tfjs-node');
const expect = (what, actual, expected) => {
  if (actual !== expected) throw new Error(`${what}: expected ${expected}, got ${actual}`);
};
expect('backend', tf.getBackend(), 'tensorflow');
expect('version of tfjs-node', tf.version['tfjs-node'], tfjs);
expect('version of TensorFlow', tf.backend().binding.TF_Version, tensorflow);
expect('[1, 2] x [3, 4]', tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0], 11);
expect('gradient of x * x at 3', tf.grad((x) => x.mul(x))(tf.scalar(3)).dataSync()[0], 6);
JS
}

[ "$(uname -sm)" = 'Linux x86_64' ] || die "only Linux x86_64 has a wheel to take TensorFlow from, this is $(uname -sm)"
for tool in node npm python3 g++ make; do
  command -v "$tool" >/dev/null || die "\"$tool\" is missing, install it first"
done
TFJS=$(node -p "require('@tensorflow/tfjs/package.json').version" 2>/dev/null) ||
  die '@tensorflow/tfjs is missing, run "npm ci" first'

if [ -z "$FORCE" ] && [ -d "$NATIVE/node_modules" ]; then
  if proof "$NATIVE" 2>/dev/null; then
    say "already built: tfjs-node $TFJS on TensorFlow $TENSORFLOW works (--force builds it anew)"
    exit 0
  fi
  say 'the existing build does not work with this Node or this TensorFlow.js, building it anew'
fi

python3 -m pip --version >/dev/null 2>&1 || die 'pip is missing, install python3-pip first'
HEADERS=
for prefix in "${NODE_HEADERS_PREFIX:-}" "$(node -p 'require("path").resolve(process.execPath, "../..")')" /usr /usr/local; do
  if [ -n "$prefix" ] && [ -f "$prefix/include/node/node_api.h" ]; then
    HEADERS=$prefix
    break
  fi
done
[ -n "$HEADERS" ] ||
  die "Node's headers (include/node/node_api.h) are missing, install them (Debian: libnode-dev) or set NODE_HEADERS_PREFIX"
GYP=
for npm in "$(npm root -g 2>/dev/null)/npm" "$(dirname "$(readlink -f "$(command -v npm)")")/.."; do
  if [ -f "$npm/node_modules/node-gyp/bin/node-gyp.js" ]; then
    GYP=$npm/node_modules/node-gyp/bin/node-gyp.js
    break
  fi
done
[ -n "$GYP" ] || die "npm's own node-gyp is missing, install npm from its registry (npm install -g npm)"

# Built in a folder inside .native/ and renamed at the end: .native/node_modules is there whole or not at all.
mkdir -p "$NATIVE"
PARTIAL=$(mktemp -d "$NATIVE/partial.XXXXXX")
trap 'rm -rf "$PARTIAL"' EXIT
PACKAGE=$PARTIAL/node_modules/@tensorflow/tfjs-node

say "1/4 tfjs-node $TFJS, without its install script (which is what downloads)"
echo '{"private":true}' >"$PARTIAL/package.json"
npm install --prefix "$PARTIAL" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
  "@tensorflow/tfjs-node@$TFJS" >"$PARTIAL/npm.log" 2>&1 || { cat "$PARTIAL/npm.log" >&2; die 'npm install failed'; }
# One tfjs per process: the copies that the project has itself are found by walking up from here.
for nested in "$PARTIAL"/node_modules/@tensorflow/*; do
  name=$(basename "$nested")
  if [ "$name" != tfjs-node ] && node -p "require.resolve('@tensorflow/$name/package.json')" >/dev/null 2>&1; then
    rm -rf "$nested"
  fi
done

say "2/4 TensorFlow $TENSORFLOW out of its wheel (214 MB)"
echo "tensorflow-cpu==$TENSORFLOW --hash=sha256:$WHEEL_SHA256" >"$PARTIAL/requirements.txt"
# Only the shared libraries and C headers are taken, so the wheel's Python version need not be the machine's.
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
  -r "$PARTIAL/requirements.txt" -d "$PARTIAL" --implementation cp --python-version 3.11 --abi cp311 \
  --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 || die 'pip could not download the wheel'
python3 - "$PARTIAL"/tensorflow_cpu-*.whl "$PACKAGE/deps" <<'PY'
import os, re, shutil, sys, zipfile

wheel, deps = sys.argv[1:]
libraries = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2')
headers = re.compile(
    r'tensorflow/include/(?:external/local_(?:tsl|xla)/)?'
    r'(tensorflow/c/(?:eager/)?[^/]+\.h|(?:.*/)?tsl/c/[^/]+\.h|(?:.*/)?platform/ctstring(?:_internal)?\.h)')
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        header = headers.fullmatch(name)
        if name in libraries:
            target = os.path.join(deps, 'lib', os.path.basename(name))
        elif header:
            target = os.path.join(deps, 'include', header[1])
        else:
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, 'wb') as copy:
            shutil.copyfileobj(source, copy, 1 << 22)
PY
rm "$PARTIAL"/tensorflow_cpu-*.whl
(
  cd "$PACKAGE/deps/lib"
  strip --strip-unneeded libtensorflow_cc.so.2 libtensorflow_framework.so.2 # 600 MB to 460 MB
  ln -s libtensorflow_cc.so.2 libtensorflow.so
  ln -s libtensorflow_framework.so.2 libtensorflow_framework.so
)

say '3/4 the addon'
(
  cd "$PACKAGE"
  node "$GYP" rebuild --nodedir="$HEADERS" --loglevel=error -- -Dmodule_name=tfjs_binding \
    -Dmodule_path="$PACKAGE/lib/napi-v$NAPI" -Dnapi_build_version="$NAPI" >"$PARTIAL/gyp.log" 2>&1
) || { cat "$PARTIAL/gyp.log" >&2; die 'the addon did not compile'; }
rm -rf "$PACKAGE/build"
# Node 23 removed util.isNullOrUndefined and util.isArray, which tfjs-node still calls.
sed -i -E 's/\(0, util_1\.isNullOrUndefined\)\(/((x) => x == null)(/g; s/\(0, util_1\.isArray\)\(/Array.isArray(/g' \
  "$PACKAGE/dist/nodejs_kernel_backend.js" "$PACKAGE/dist/kernels/TopK.js"

say '4/4 proof'
proof "$PARTIAL" || die 'built, but it does not work; nothing was installed'
if [ -d "$NATIVE/node_modules" ]; then mv "$NATIVE/node_modules" "$PARTIAL/replaced"; fi
mv "$PARTIAL/node_modules" "$NATIVE/node_modules"
proof "$NATIVE" || { rm -rf "$NATIVE/node_modules"; die 'the build does not work at its final place; removed'; }
say "tfjs-node $TFJS on TensorFlow $TENSORFLOW works"
