#!/usr/bin/env bash
# Train as a Slurm job: slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]
# Environment: GPUS (8), GPUS_PER_NODE (8, or GPUS where that is less), CPUS_PER_TASK (5), SRUN_ARGS, PYTHON.
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

need 3 "PARTITION JOB_NAME CONFIG [arguments of train.py]" "$@"
run_slurm "$1" "$2" train.py "${@:3}"
