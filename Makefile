# make demo         the main job, end to end, on the embedded corpus
# make test         the tests
# make lint         the style checks
# make bench        speed and memory, each claim beside a peer, in half an hour; writes benchmarks/RESULTS.md
# make paper        the paper's experiments on DATA (prepared/paper), into runs/paper; stopped and called again, it goes on
# make paper-demo   the same rows at toy size on the embedded corpus, into runs/paper-demo; with -j2 two rows at a time
# Each sets up .venv with the versions of constraints.txt first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

DATA ?= prepared/paper
TRAIN ?= $(BIN)/python train.py   # or: accelerate launch train.py
ROWS := $(sort $(basename $(notdir $(wildcard configs/paper/rows/*.yaml))))

.PHONY: demo test lint bench paper paper-demo clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[demo,onnx,page,test]"
	touch $@

prepared/demo/report.json: | $(VENV)/installed
	$(BIN)/python -m preprocessing.demo_corpus --output prepared/demo_corpus
	$(BIN)/python prepare.py --corpus table=prepared/demo_corpus/clips.csv --output prepared/demo

demo: $(VENV)/installed prepared/demo/report.json
	rm -rf runs/demo
	$(BIN)/python train.py --config configs/demo.yaml
	$(BIN)/python evaluate.py runs/demo --data prepared/demo --output runs/demo --baseline
	$(BIN)/python predict.py prepared/demo_corpus/wav/en-US/m3_happy_*.wav --model runs/demo

test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/installed
	$(BIN)/python -m benchmarks

paper: $(ROWS:%=runs/paper/%/metrics.json)
	$(BIN)/python evaluate.py $(ROWS:%=runs/paper/%) --data $(DATA) --output runs/paper

runs/paper/%/metrics.json: configs/paper/rows/%.yaml | $(VENV)/installed
	$(TRAIN) --config configs/paper/shared.yaml $< --data $(DATA) --output_dir $(@D)

paper-demo: $(ROWS:%=runs/paper-demo/%/metrics.json)
	$(BIN)/python evaluate.py $(ROWS:%=runs/paper-demo/%) --data prepared/demo --output runs/paper-demo

# What a row's name begins with says which small network takes the place of the pre-trained one.
runs/paper-demo/%/metrics.json: configs/paper/rows/%.yaml | prepared/demo/report.json
	$(BIN)/python train.py --data prepared/demo --output_dir $(@D) --resume_from_checkpoint latest --config \
	    configs/paper/shared.yaml $< configs/paper/demo/shared.yaml configs/paper/demo/$(firstword $(subst -, ,$*)).yaml

clean:
	rm -rf $(VENV) prepared runs
