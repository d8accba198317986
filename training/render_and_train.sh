#!/usr/bin/env bash
# Renders what is missing of the 100,000 faces and trains both packaged networks, for a machine with many cores and a GPU:
#
#   bash training/render_and_train.sh ICT-FaceKit faces/ runs/
#
# Every step resumes: run it again after it was stopped.
set -euo pipefail
rig=$1 faces=$2 runs=$3

edgeau-synth "$rig" --out "$faces" --count 100000 --val-count 2000 --test-count 4000 --seed 2027 --workers "$(nproc)"

train() { # recipe, folder, weights to start from, further options
  recipe=$1 out=$runs/$2 start=(--pretrained "$3")
  if [ -e "$out/state.pt" ]; then start=(--resume); fi
  edgeau-train "$recipe" --data "$faces" --out "$out" "${start[@]}" "${@:4}"
}

mkdir -p "$runs"
train mrpnet-synthetic-two-views default weights/mrpnet-default.fp16.safetensors
[ -e "$runs/teacher.npz" ] || python -m edgeau_training.evaluation.teacher_answers default --data "$faces" --out "$runs/teacher.npz"
train mrpnet-slim-synthetic-taught light weights/light.fp16.safetensors --teacher "$runs/teacher.npz"
