#!/usr/bin/env bash
# Test in several processes: dist_test.sh CONFIG CHECKPOINT GPUS [arguments of test.py]
# Environment: PORT (default: a free one), NNODES, NODE_RANK, MASTER_ADDR (needed on several machines), PYTHON.
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

need 3 "CONFIG CHECKPOINT GPUS [arguments of test.py]" "$@"
exec "$PYTHON" "$TOOLS/launch.py" "$3" "$TOOLS/test.py" "$1" "$2" "${@:4}"
