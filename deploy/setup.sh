#!/usr/bin/env bash
# Installs what Polylip needs on Debian 12 or Ubuntu; running it again costs next to nothing.
#
#   deploy/setup.sh [run|export|test]     run: what `make demo` needs (default); export: also what `polylip models export`
#                                         needs (PyTorch); test: also what `make test` and `check` need
#
# System packages by apt (with sudo unless root); two virtual environments in the checkout, .venv for the application
# and .venv-triton for the embedded Triton server, pinned by constraints.txt and deploy/triton/constraints.txt.
# An environment is made anew when the files that describe it have changed since.
set -euo pipefail

level="${1:-run}"
cd "$(dirname "${BASH_SOURCE[0]}")/.."
log=.run/setup.log
mkdir -p .run
exec 9>.run/setup.lock
flock 9 # one set-up at a time: the second finds the work done

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# Runs a command with its output in the log, and shows the log's end when it fails.
quietly() {
  if ! "$@" >>"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    fail "this failed: $* (all of it: $log)"
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# ---- system packages --------------------------------------------------------------------------------------------

# Prints the Debian packages of the programs that are not there. Ubuntu has them under the same names (apertium-eng-spa,
# espeak-ng, flite and rabbitmq-server in its component "universe").
missing_packages() {
  compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' >/dev/null ||
    compgen -G '/usr/local/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' >/dev/null ||
    compgen -G '/opt/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server' >/dev/null || echo rabbitmq-server
  command -v epmd >/dev/null || echo erlang-base
  command -v espeak-ng >/dev/null || echo espeak-ng # tts_espeak
  command -v flite >/dev/null || echo flite         # the voice of the sample clip
  command -v apertium >/dev/null || echo apertium   # mt_apertium, and its English-Spanish data
  [ -e /usr/share/apertium/modes/eng-spa.mode ] || echo apertium-eng-spa
  if [ "$level" = test ]; then
    command -v chromium >/dev/null || echo chromium # the page is tested in it
    compgen -G '/usr/lib*/libatomic.so.1' >/dev/null ||
      compgen -G '/usr/lib/*/libatomic.so.1' >/dev/null || echo libatomic1 # the driver that plays the browser's user
  fi
}

# Ends with the list of what to install when apt cannot do it here.
require_apt() {
  if ! command -v apt-get >/dev/null; then
    fail "there is no apt-get here. Install these programs by hand (named as Debian's packages): $*"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "neither root nor sudo. Let an administrator run: apt-get install $*"
  fi
}

# ---- Python -----------------------------------------------------------------------------------------------------

# Prints the first Python that can carry both environments: 3.11 or 3.12 (numpy 1.26, which Triton's stubs need, has no
# wheel for later ones), with venv and pip, and with the shared library that the stubs load.
find_python() {
  local candidate
  for candidate in python3 python3.12 python3.11 /usr/bin/python3 /usr/bin/python3.12 /usr/bin/python3.11; do
    command -v "$candidate" >/dev/null || continue
    "$candidate" -I - 2>/dev/null <<'PYTHON' && return 0
import ensurepip, pathlib, sys, sysconfig, venv
if not (3, 11) <= sys.version_info[:2] < (3, 13):
    sys.exit(1)
name = f"libpython{sys.version_info[0]}.{sys.version_info[1]}.so.1.0"
folders = [sysconfig.get_config_var("LIBDIR") or "", sys.base_prefix + "/lib", "/usr/lib64", "/usr/lib"]
folders.append("/usr/lib/" + (sysconfig.get_config_var("MULTIARCH") or ""))
if not any(pathlib.Path(folder, name).is_file() for folder in folders):
    sys.exit(1)
print(sys.executable)
PYTHON
  done
  return 1
}

# Prints the packages of the newest suitable Python that apt offers.
python_packages() {
  local version
  for version in 3.12 3.11; do
    if apt-cache show "python$version" >/dev/null 2>&1; then
      printf '%s\n' "python$version" "python$version-venv" "libpython$version"
      return
    fi
  done
}

# ---- virtual environments ---------------------------------------------------------------------------------------

# fingerprint FILE...: one line for the content of the files.
fingerprint() { cat "$@" | sha256sum | cut -d' ' -f1; }

# is_made FOLDER STAMP: whether the environment is there and was made from what the stamp stands for.
is_made() { [ -x "$1/bin/python" ] && [ "$(cat "$1/.setup-stamp" 2>/dev/null)" = "$2" ]; }

# without_native_torchaudio FOLDER: lets torchaudio load beside every build of PyTorch, where it is installed at all.
# Its wheel holds native code built for CUDA and for the PyTorch of its own day. Next to a PyTorch for the processor
# alone, or a later one, loading that code fails, and with it `import torchaudio`. Without these files torchaudio computes
# in PyTorch what it has in PyTorch: resampling and mel spectrograms, all that coqui-tts asks of it here. Wheel and
# version of torchaudio are pinned and ask for nothing themselves, so no package for GPUs comes with it.
without_native_torchaudio() {
  if ! compgen -G "$1/lib/python3*/site-packages/torchaudio/lib" >/dev/null; then return; fi
  quietly find "$1"/lib/python3*/site-packages/torchaudio/lib -name '*.so' -delete
  quietly "$1/bin/python" -W error -c 'import torchaudio.transforms'
}

# make_environment FOLDER STAMP ALONE PIP-ARGUMENT...: makes FOLDER anew and installs, unless its stamp says it is done;
# last the packages of the list ALONE, without what they ask for.
make_environment() {
  local folder=$1 stamp=$2 alone=$3
  shift 3
  if is_made "$folder" "$stamp"; then return; fi
  local started=$SECONDS
  say "installing Python packages into $folder (a minute or two)"
  rm -f "$folder/.setup-stamp"
  quietly "$python" -m venv --clear "$folder"
  quietly "$folder/bin/python" -m pip install --disable-pip-version-check --no-input "$@"
  quietly "$folder/bin/python" -m pip check --disable-pip-version-check
  if [ -n "$alone" ]; then # shellcheck disable=SC2086 # a list of names
    quietly "$folder/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps -c constraints.txt $alone
  fi
  without_native_torchaudio "$folder"
  printf '%s\n' "$stamp" >"$folder/.setup-stamp"
  say "$folder is ready after $((SECONDS - started)) s"
}

# ---- the work ---------------------------------------------------------------------------------------------------

declare -A extras=([run]="" [export]="[export]" [test]="[dev,export,bench]")
# Packages whose own lists of dependencies would do harm here, so they are installed without them; all that they use is
# installed by the extras above:
#   openai-whisper  asks for triton, a compiler for GPUs (a wheel of 286 MB), which only its word timestamps on a GPU use
#   faster-whisper  asks for onnxruntime, whose files would replace those of onnxruntime-openvino in the same folder
# `pip check` in .venv names exactly these two wants afterwards.
declare -A alone=([run]="" [export]="openai-whisper" [test]="openai-whisper faster-whisper")
declare -A serving=([run]="test export run" [export]="test export" [test]="test") # an environment may hold more
[ -n "${serving[$level]:-}" ] || fail "usage: deploy/setup.sh [run|export|test]"

application=$(fingerprint pyproject.toml constraints.txt)
server=$(fingerprint deploy/triton/requirements.txt deploy/triton/constraints.txt)
contents=$level
# what was installed for more stays so when it is made anew: `make demo` takes nothing away from who runs the tests
made=$(cut -d' ' -f2 .venv/.setup-stamp 2>/dev/null || true)
if [ -n "$made" ] && [[ " ${serving[$level]} " == *" $made "* ]]; then contents=$made; fi
application="$application $contents"

environments=made
if ! is_made .venv "$application" || ! is_made .venv-triton "$server"; then environments=missing; fi
python=""
if [ "$environments" = missing ]; then python=$(find_python) || true; fi

mapfile -t packages < <(missing_packages)
if [ "${#packages[@]}" -gt 0 ] || { [ "$environments" = missing ] && [ -z "$python" ]; }; then
  wanted=("${packages[@]}")
  if [ "$environments" = missing ] && [ -z "$python" ]; then wanted+=(python3.11 python3.11-venv libpython3.11); fi
  require_apt "${wanted[@]}"
  quietly as_root apt-get update -q
  if [ "$environments" = missing ] && [ -z "$python" ]; then
    mapfile -t -O "${#packages[@]}" packages < <(python_packages)
  fi
  say "installing by apt: ${packages[*]}"
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"
fi

if [ "$environments" = missing ]; then
  python=${python:-$(find_python)} || fail "no Python 3.11 or 3.12 with venv and its shared library, and apt offers none"
  make_environment .venv "$application" "${alone[$contents]}" -c constraints.txt -e ".${extras[$contents]}"
  make_environment .venv-triton "$server" "" -c deploy/triton/constraints.txt -r deploy/triton/requirements.txt
fi
