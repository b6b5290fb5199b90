#!/usr/bin/env bash
# Train in several processes: dist_train.sh CONFIG GPUS [arguments of train.py]
# Environment: PORT (default: a free one), NNODES, NODE_RANK, MASTER_ADDR (needed on several machines), PYTHON;
# MAX_RESTARTS (0): how often failed processes are started anew, from the newest checkpoint;
# NNODES=MIN:MAX: machines may join and leave (torchrun's elastic rendezvous at MASTER_ADDR:PORT, named RDZV_ID).
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

need 2 "CONFIG GPUS [arguments of train.py]" "$@"
exec "$PYTHON" "$TOOLS/launch.py" "$2" "$TOOLS/train.py" "$1" "${@:3}"
