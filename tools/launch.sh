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

# number NAME DEFAULT: prints the positive number that the environment variable says, or the default.
number() {
    local value="${!1:-$2}"
    if [[ ! "$value" =~ ^[1-9][0-9]{0,5}$ ]]; then
        echo "$1 '$value': expected a number from 1 to 999999" >&2
        exit 2
    fi
    echo "$value"
}

# slurm_resources: sets `resources`, one task a GPU.
slurm_resources() {
    local gpus per_node cpus
    gpus="$(number GPUS 8)"
    per_node="$(number GPUS_PER_NODE "$((gpus < 8 ? gpus : 8))")"
    cpus="$(number CPUS_PER_TASK 5)"
    resources=(--gres="gpu:$per_node" --ntasks="$gpus" --ntasks-per-node="$per_node" --cpus-per-task="$cpus")
}

# step_options SCRIPT: sets `options`, how srun ends a step, and what SRUN_ARGS adds.
step_options() {
    local srun_args=()
    read -r -a srun_args <<<"${SRUN_ARGS:-}"
    # Processes that were asked to make room end one after the other, each with a status that is not 0: a step that
    # kills the rest at the first would hide that status. Those whose process is lost notice it by themselves.
    local ending=(--kill-on-bad-exit=0 --wait=300)
    [[ "$1" == train.py ]] || ending=(--kill-on-bad-exit=1)
    options=("${ending[@]}" "${srun_args[@]}")
}

# run_step SCRIPT [ARGUMENT ...]: a step of the job that this runs in, with its resources.
run_step() {
    local script="$1" options
    shift
    step_options "$script"
    # Since Slurm 22.05 a step does not inherit it from its job.
    srun ${SLURM_CPUS_PER_TASK:+--cpus-per-task="$SLURM_CPUS_PER_TASK"} "${options[@]}" \
        "$PYTHON" -u "$TOOLS/$script" --launcher slurm "$@"
}

# run_slurm PARTITION JOB_NAME SCRIPT [ARGUMENT ...]: a job of one step, waited for.
run_slurm() {
    local partition="$1" job="$2" script="$3" resources options
    shift 3
    slurm_resources
    step_options "$script"
    exec srun -p "$partition" --job-name="$job" "${resources[@]}" "${options[@]}" \
        "$PYTHON" -u "$TOOLS/$script" --launcher slurm "$@"
}

# quoted ARGUMENT ...: prints them as words of a command line that any shell reads.
quoted() {
    local one escaped="'\\''"
    for one in "$@"; do
        printf " '%s'" "${one//\'/$escaped}"
    done
}
