#!/usr/bin/env bash
# Test as a Slurm job: slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of test.py]
# Environment: GPUS (8), GPUS_PER_NODE (8, or GPUS where that is less), CPUS_PER_TASK (5), SRUN_ARGS, PYTHON.
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

need 4 "PARTITION JOB_NAME CONFIG CHECKPOINT [arguments of test.py]" "$@"
run_slurm "$1" "$2" test.py "${@:3}"
