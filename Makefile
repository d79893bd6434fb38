# make demo   the main job, end to end, on the embedded corpus
# make test   the tests
# make lint   the style checks
# Each sets up .venv with the versions of constraints.txt first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[demo,test]"
	touch $@

demo: $(VENV)/installed
	rm -rf runs/demo
	$(BIN)/python -m preprocessing.demo_corpus --output prepared/demo_corpus
	$(BIN)/python prepare.py --corpus table=prepared/demo_corpus/clips.csv --output prepared/demo
	$(BIN)/python train.py --config configs/demo.yaml
	$(BIN)/python evaluate.py runs/demo --data prepared/demo --output runs/demo --baseline
	$(BIN)/python predict.py prepared/demo_corpus/wav/en-US/m3_happy_*.wav --model runs/demo

test: $(VENV)/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) prepared runs
