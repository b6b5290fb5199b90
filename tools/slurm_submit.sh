#!/usr/bin/env bash
# Train as a batch job that goes on after preemption, its time limit or a lost node:
# slurm_submit.sh PARTITION JOB_NAME CONFIG [arguments of train.py]
# Two minutes before its end the job is asked to save, is put back into the queue, and goes on from the newest checkpoint.
# Environment: as slurm_train.sh takes it; SBATCH_ARGS ('--time 8:00:00'), GRACE (120): seconds between asking and the end.
# shellcheck source-path=SCRIPTDIR source=launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

# Within the job: one step, and back into the queue where it was asked to make room (exit status 75), or was so before it
# could listen (138: ended by SIGUSR1). Where its node failed, Slurm itself requeues it.
if [[ "${1:-}" == --in-job ]]; then
    status=0
    run_step "${@:2}" || status=$?
    if ((status == 75 || status == 138)); then
        exec scontrol requeue "$SLURM_JOB_ID"
    fi
    exit "$status"
fi

need 3 "PARTITION JOB_NAME CONFIG [arguments of train.py]" "$@"
partition="$1" job="$2"
shift 2
read -r -a sbatch_args <<<"${SBATCH_ARGS:-}"
slurm_resources
grace="$(number GRACE 120)"
# By --wrap: Slurm runs a copy of a script from a folder of its own, where nothing lies beside it.
exec sbatch -p "$partition" --job-name="$job" "${resources[@]}" --requeue --open-mode=append \
    --signal="USR1@$grace" --output="%x-%j.out" "${sbatch_args[@]}" \
    --wrap "exec bash$(quoted "$TOOLS/slurm_submit.sh" --in-job train.py "$@")"
