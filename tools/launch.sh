# What the launch scripts share; sourced by them, not run by itself.
# shellcheck shell=bash

set -euo pipefail

TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PYTHON="${PYTHON:-python}"
PYTHONPATH="$(dirname "$TOOLS")${PYTHONPATH:+:$PYTHONPATH}"
export PYTHONPATH

# need COUNT USAGE [ARGUMENT ...]: stop with the usage where fewer than COUNT arguments were given.
need() {
    local count="$1" usage="$2"
    shift 2
    if (($# < count)); then
        echo "found $# arguments, expected at least $count: ${0##*/} $usage" >&2
        exit 2
    fi
}

# slurm_resources: sets `resources`, one task a GPU.
slurm_resources() {
    local gpus="${GPUS:-8}"
    local per_node="${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}"
    resources=(--gres="gpu:$per_node" --ntasks="$gpus" --ntasks-per-node="$per_node"
        --cpus-per-task="${CPUS_PER_TASK:-5}")
}

# run_step SCRIPT [ARGUMENT ...]: a step of the job that this runs in, with its resources.
run_step() {
    local script="$1" srun_args=()
    shift
    read -r -a srun_args <<<"${SRUN_ARGS:-}"
    srun --kill-on-bad-exit=1 "${srun_args[@]}" "$PYTHON" -u "$TOOLS/$script" --launcher slurm "$@"
}

# run_slurm PARTITION JOB_NAME SCRIPT [ARGUMENT ...]: a job of one step, waited for.
run_slurm() {
    local partition="$1" job="$2" script="$3" srun_args=()
    shift 3
    read -r -a srun_args <<<"${SRUN_ARGS:-}"
    slurm_resources
    exec srun -p "$partition" --job-name="$job" "${resources[@]}" --kill-on-bad-exit=1 \
        "${srun_args[@]}" "$PYTHON" -u "$TOOLS/$script" --launcher slurm "$@"
}
