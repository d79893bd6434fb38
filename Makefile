# make demo         the main job, end to end, on the embedded corpus
# make test         the tests, all but those of make stress
# make test-fast    the first case of each test, without kills, sweeps, browsers, second processes, trees of files
# make lint         style, import contracts, static types
# make bench        speed and memory, each claim compared with a peer, in half an hour; writes this processor's column of
#                   benchmarks/RESULTS.md
# make stress       minutes of bad input, crashes and load, which make test leaves out
# make test-lowest, make test-newest    the tests at the lowest, the newest versions that pyproject.toml allows
# make lock         constraints.txt and requirements.lock, from pyproject.toml; with UPGRADE=--upgrade at newer versions
# make sbom         sbom.json, the bill of materials of what is installed, as CycloneDX
# make paper        the paper's experiments on DATA (prepared/paper), into runs/paper; called again after a stop, it resumes
# make real         the experiment on real speech: DATA is a folder with ravdess, emodb, emovo and nemo as their authors publish
#                   them; a released model, its report on unseen speakers and the test of the paper's claim, into runs/real
# make release      the repository's own model, models/whisper-base-ser, from what make real has trained
# make predict      labels FILE with that model
# make paper-demo   the same rows at toy size on the embedded corpus, into runs/paper-demo; with -j2 two rows at a time
# Each sets up .venv with the versions of constraints.txt first.

PYTHON ?= python3
VENV := .venv
CONSTRAINTS := constraints.txt
BIN := $(VENV)/bin
# pytest rewrites the tests' assertions, which takes seconds: once, and not at every start.
unexport PYTHONDONTWRITEBYTECODE

DATA ?= prepared/paper
TRAIN ?= $(BIN)/python train.py   # or: accelerate launch train.py
RESOLVE := uv pip compile pyproject.toml - --all-extras --python-version 3.11 --quiet --no-header --no-annotate
# What PyTorch brings where there is a GPU; it is installed with it, and differs by machine.
CUDA := cuda-bindings cuda-pathfinder cuda-toolkit triton setuptools \
    nvidia-cublas nvidia-cuda-cccl nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft \
    nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
    nvidia-nvshmem-cu13 nvidia-nvtx
SINGLE_TASK := w2v-Em
ROWS := $(sort $(basename $(notdir $(wildcard configs/paper/rows/*.yaml))))

.PHONY: demo test test-fast lint bench stress test-lowest test-newest lock sbom paper paper-demo real release predict clean

$(VENV)/installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable ".[demo,onnx,page,augment,test]"
	touch $@

prepared/demo/report.json: | $(VENV)/installed
	$(BIN)/python -m preprocessing.demo --output prepared/demo_corpus --overwrite
	$(BIN)/python prepare.py --corpus table=prepared/demo_corpus/clips.csv --output prepared/demo

demo: $(VENV)/installed prepared/demo/report.json
	rm -rf runs/demo
	$(BIN)/python train.py --config configs/demo.yaml
	$(BIN)/python evaluate.py runs/demo --data prepared/demo --output runs/demo --baseline
	$(BIN)/python predict.py prepared/demo_corpus/wav/en-US/m3_happy_*.wav --model runs/demo
	$(BIN)/python predict.py prepared/demo_corpus/wav/en-US/m3_happy_*.wav

predict: $(VENV)/installed
	@$(BIN)/python predict.py "$(FILE)"

test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

test-fast: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile -m 'not slow and not stress'

stress: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m stress
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --hypothesis-profile=many tests/test_properties.py

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks

$(VENV)/tools: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

# PyTorch's version is the one of constraints.txt, which all other packages have to fit.
test-lowest: RESOLUTION := lowest-direct
test-newest: RESOLUTION := highest
test-lowest test-newest: $(VENV)/tools
	grep ^torch== constraints.txt | $(BIN)/$(RESOLVE) --resolution $(RESOLUTION) --output-file $(VENV)/$@.txt
	$(MAKE) test VENV=$(VENV)/$@ CONSTRAINTS=$(VENV)/$@.txt

lock: $(VENV)/tools
	grep ^torch== constraints.txt | $(BIN)/$(RESOLVE) $(UPGRADE) $(CUDA:%=--no-emit-package %) --output-file constraints.txt
	grep ^torch== constraints.txt | $(BIN)/$(RESOLVE) $(CUDA:%=--no-emit-package %) --no-emit-package torch \
	    --no-emit-package opensmile --constraint constraints.txt --generate-hashes --output-file requirements.lock

sbom: $(VENV)/tools
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(BIN)/python

paper: $(ROWS:%=runs/paper/%/metrics.json)
	$(BIN)/python evaluate.py $(ROWS:%=runs/paper/%) --reference runs/paper/$(SINGLE_TASK) --data $(DATA) --output runs/paper

runs/paper/%/metrics.json: configs/paper/rows/%.yaml | $(VENV)/installed
	$(TRAIN) --config configs/paper/shared.yaml $< --data $(DATA) --output_dir $(@D)

# CNN14's batch norm needs the 32 clips of an update on one device.
runs/paper/panns-%: override TRAIN := $(BIN)/python train.py

paper-demo: $(ROWS:%=runs/paper-demo/%/metrics.json)
	$(BIN)/python evaluate.py $(ROWS:%=runs/paper-demo/%) --reference runs/paper-demo/$(SINGLE_TASK) --data prepared/demo \
	    --output runs/paper-demo

# The beginning of a row's name determines which small network replaces the pre-trained one.
runs/paper-demo/%/metrics.json: configs/paper/rows/%.yaml | prepared/demo/report.json
	$(BIN)/python train.py --data prepared/demo --output_dir $(@D) --resume_from_checkpoint latest --config \
	    configs/paper/shared.yaml $< configs/paper/demo/shared.yaml configs/paper/demo/$(firstword $(subst -, ,$*)).yaml

# Real speech: rows on folds of speakers, corpora left out, and the model to release, whose figures are those of its folds.
# BACKBONE is a Hub id, or a folder with a copy of openai/whisper-base.
BACKBONE ?= openai/whisper-base
REAL_ROWS := $(basename $(notdir $(wildcard configs/real/rows/*.yaml)))
REAL_CORPORA := ravdess emodb emovo nemo
REAL_FLAGS = --config configs/real/shared.yaml $(if $(filter scratch-%,$(1)),,configs/real/whisper.yaml) \
    configs/real/rows/$(1).yaml $(if $(filter scratch-%,$(1)),,--model_name_or_path $(BACKBONE) --base_model openai/whisper-base)
CONDITIONS := babble:10 noise:10 telephone mp3:32 room
PROBE := runs/real/probe.csv
RELEASED := models/whisper-base-ser

prepared/real/report.json: configs/real/labels.yaml | $(VENV)/installed
	$(BIN)/python prepare.py --corpus $(foreach name,$(filter-out nemo,$(REAL_CORPORA)),$(name)=$(DATA)/$(name)) \
	    table=$(DATA)/nemo/data.tsv --audio_folder samples --locale pl-PL --license "CC BY-NC-SA 4.0" \
	    --columns path=file_id speaker=speaker_id sentence=normalized_text --label_rules configs/real/labels.yaml \
	    --label_map anger=angry happiness=happy sadness=sad surprised=surprise --output prepared/real

runs/real/%/report.md: configs/real/rows/%.yaml | prepared/real/report.json
	$(TRAIN) $(call REAL_FLAGS,$*) --output_dir $(@D)

runs/real/without-%/metrics.json: configs/real/rows/release.yaml | prepared/real/report.json
	$(TRAIN) $(call REAL_FLAGS,release) --protocol loco:$* --output_dir $(@D)

runs/real/released/model.safetensors: runs/real/release/report.md
	$(BIN)/python evaluate.py runs/real/release --data prepared/real --output runs/real/release --condition $(CONDITIONS)
	$(TRAIN) $(call REAL_FLAGS,release) --protocol all --recipe_of runs/real/release --output_dir $(@D)

$(PROBE): | prepared/real/report.json
	$(BIN)/python -m evaluation.probe $(BACKBONE) --layers 3 --data prepared/real --protocol folds:6 --output $@

real: runs/real/released/model.safetensors $(PROBE) $(REAL_ROWS:%=runs/real/%/report.md) \
    $(REAL_CORPORA:%=runs/real/without-%/metrics.json)
	$(BIN)/python evaluate.py $(REAL_ROWS:%=runs/real/%) --predictions probe=$(PROBE) --reference runs/real/em \
	    --data prepared/real --output runs/real

# The repository's own model: weights in float16, code, card. `make release` takes them from `make real`, and
# `make release SOURCE=models/whisper-base-ser` brings the code and the card up to date.
SOURCE ?= runs/real/released
release: | $(VENV)/installed
	$(BIN)/python publish.py $(SOURCE) --repo $(RELEASED) --folder runs/real/export --float16
	rm -rf $(RELEASED)
	mkdir -p $(dir $(RELEASED))
	mv runs/real/export $(RELEASED)

clean:
	rm -rf $(VENV) prepared runs
