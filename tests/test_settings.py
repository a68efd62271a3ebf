"""The defaults and limits of all settings, and the defaults of functions.

Oracle: these tables, which were written down once; a change needs a change here.
"""

import dataclasses
import importlib
import inspect
import math
import operator

import pytest

from acai.errors import InputError

DECLARED = """
acai.audio.spectrogram.MelSettings
    sample_rate = 22050.0, at least 1000, at most 1000000
    window = 1024, at least 2, at most 65536
    hop = 1, at least 1
    n_mels = 1, at least 1, at most 1024
    f_min = 0.0, at least 0
    f_max = None, more than 0
    C = 1.0, at least 0.001, at most 1000000000
    n_mfcc = 1, at least 1, at most 1024
acai.cf.als.ALS
    n_factors = 50, at least 1, at most 10000
    n_epochs = 15, at least 0
    reg = 0.1, more than 0
    alpha = 2.0, more than 0
    epsilon = 1.0, more than 0
    cg_steps = None, at least 1
    init_std = 0.1, at least 0, at most 1000
    seed = 0, at least 0
acai.cf.baselines.Baseline
    n_epochs = 10, at least 0
    reg_u = 15.0, at least 0
    reg_i = 10.0, at least 0
acai.cf.descent.GradientDescent
    n_factors = 10, at least 1, at most 10000
    n_epochs = 100, at least 0
    learning_rate = 0.0001, more than 0
    reg = 0.02, at least 0
    bold_driver = True
    growth = 1.05, at least 1
    biases = False
    init_std = 0.1, at least 0, at most 1000
    seed = 0, at least 0
acai.cf.descent.SGD
    n_factors = 100, at least 1, at most 10000
    n_epochs = 20, at least 0
    learning_rate = 0.005, more than 0
    reg = 0.02, at least 0
    momentum = 0.0, at least 0, at most 0.9999
    biases = True
    init_std = 0.1, at least 0, at most 1000
    shuffle = False
    seed = 0, at least 0
    decay = 1.0, more than 0
    patience = None, at least 1
acai.cf.knn.UserKNN
    k = 40, at least 1
    similarity = 'pearson' of pearson, msd, cosine, cosine_corated, asymmetric, overlap, indicator
    min_overlap = 1, at least 1
    shrinkage = None, at least 0, at most 1000000000000.0
    centring = 'mean' of mean, zscore, baseline, none
    asymmetry = 0.5, at least 0, at most 1
    normalise = True
    memory = 134217728, at least 1
    min_neighbours = None, at least 1
acai.cf.knn.ItemKNN
    k = 40, at least 1
    similarity = 'pearson' of pearson, msd, cosine, cosine_corated, asymmetric, overlap, indicator
    min_overlap = 1, at least 1
    shrinkage = None, at least 0, at most 1000000000000.0
    centring = 'baseline' of mean, zscore, baseline, none
    asymmetry = 0.5, at least 0, at most 1
    normalise = True
    memory = 134217728, at least 1
    min_neighbours = None, at least 1
    keep = None, at least 1
acai.cf.svd.SVD
    n_factors = 10, at least 1, at most 10000
    damping = 5.0, at least 0, at most 1000000000000.0
acai.content.audio_models.SpectrumRidge
    spread = False
acai.content.audio_models.BagOfWords
    n_words = 400, at least 1
    n_mfcc = 13, at least 1
    n_frames = 20000, at least 1
    seed = 0, at least 0
acai.content.audio_to_factors.AudioToFactors
    n_epochs = 40, at least 1
    learning_rate = 0.03, more than 0
    momentum = 0.9, at least 0, less than 1
    weight_decay = 0.0001, at least 0
    patience = None, at least 1
    seed = 0, at least 0
    width = 129, at least 1
    batch_size = 16, at least 1
    augment = None
    network = None
    validation = 0.1, more than 0, less than 1
acai.content.classify.SoundClassifier
    n_epochs = 30, at least 1
    learning_rate = 0.03, more than 0
    momentum = 0.9, at least 0, less than 1
    weight_decay = 0.0001, at least 0
    patience = None, at least 1
    seed = 0, at least 0
    width = 129, at least 1
    batch_size = 16, at least 1
    augment = Augmentation(gain=0.0, time_mask=30, band_mask=16)
    windows = 8, at least 1, at most 1000
acai.content.sound_neighbours.SoundNeighbours
    k = 5, at least 1
acai.content.taste.TasteNetworks
    n_hidden = 8, at least 1, at most 10000
    n_epochs = 60, at least 1
    learning_rate = 0.05, more than 0
    momentum = 0.9, at least 0, less than 1
    weight_decay = 0.02, at least 0
    seed = 0, at least 0
acai.content.training.TrainingConfig
    n_epochs = 40, at least 1
    learning_rate = 0.03, more than 0
    momentum = 0.9, at least 0, less than 1
    weight_decay = 0.0001, at least 0
    patience = None, at least 1
    seed = 0, at least 0
acai.content.windows.Augmentation
    gain = 0.0, at least 0, at most 1000
    time_mask = 0, at least 0
    band_mask = 0, at least 0
"""
CLASSES = [line for line in DECLARED.strip().splitlines() if not line.startswith(" ")]


def class_of(name: str) -> type:
    module, _, name = name.rpartition(".")
    return getattr(importlib.import_module(module), name)


def declared(owner: type) -> list[str]:
    """Each setting with its default and its limits or choices, one line each."""
    lines = []
    for field in dataclasses.fields(owner):
        if "limits" in field.metadata:
            limits = field.metadata["limits"]
            choices = f" of {', '.join(limits.choices)}" if limits.choices else ""
            lines.append(f"    {field.name} = {field.default!r}{limits}{choices}")
    return lines


@pytest.mark.parametrize("name", CLASSES)
def test_the_defaults_and_limits_are_those_declared(name):
    lines = DECLARED.strip().splitlines()
    start = lines.index(name) + 1
    end = next((n for n in range(start, len(lines)) if not lines[n].startswith(" ")), len(lines))
    assert declared(class_of(name)) == lines[start:end]


def beyond(field: dataclasses.Field) -> list[tuple[float, bool]]:
    """Values at and just beyond each limit of a setting, and whether they are allowed."""
    limits = field.metadata["limits"]
    is_integer = isinstance(field.default, int) or "int" in str(field.type)

    def step(value: float, direction: int) -> float:
        return value + direction if is_integer else math.nextafter(value, direction * math.inf)

    cases = []
    if limits.at_least is not None:
        cases += [(limits.at_least, True), (step(limits.at_least, -1), False)]
    if limits.more_than is not None:
        cases += [(limits.more_than, False), (step(limits.more_than, 1), True)]
    if limits.at_most is not None:
        cases += [(limits.at_most, True), (step(limits.at_most, 1), False)]
    if limits.less_than is not None:
        cases += [(limits.less_than, False), (step(limits.less_than, -1), True)]
    return cases


@pytest.mark.parametrize("name", CLASSES)
def test_limits_are_kept_to_the_last_digit(name):
    owner = class_of(name)
    for field in dataclasses.fields(owner):
        if "limits" not in field.metadata:
            continue
        for value, allowed in beyond(field):
            if not allowed:
                with pytest.raises(InputError, match=field.name):
                    owner(**{field.name: value})
            else:
                try:
                    owner(**{field.name: value})
                except InputError as refusal:  # it may not fit the other settings, but it is in range
                    assert f"; expected {'an integer' if 'int' in str(field.type) else 'a finite number'}" not in str(refusal)


FUNCTIONS = """
acai.cf.descent:SGD.fit(progress=False, validation=None)
acai.cf.loading:load(model=None)
acai.cf.plain:fill(damping=0.0)
acai.cf.plain:predict(least=1)
acai.cf.recommender:Recommender.fit(progress=False)
acai.cf.recommender:Recommender.recommend(n=10, exclude_rated=True, candidates=None, exclude=())
acai.cf.recommender:Recommender.recommend_all(users=None, n=10, exclude_rated=True, memory=268435456, \
progress=False, candidates=None, exclude=())
acai.cf.recommender:Recommender.score_blocks(exclude_rated=True, memory=268435456, progress=False)
acai.cf.recommender:Recommender.similar(n=10, candidates=None, exclude=())
acai.cf.recommender:Recommender.similar_users(n=10)
acai.cf.statistics:means(damping=0.0)
acai.evaluation.bootstrap:UserScores(power=1)
acai.evaluation.comparing:compare(folds=5, level=0.95, n_draws=2000, n_jobs=1, seed=0, progress=False)
acai.evaluation.offline:cross_validate(folds=5, n_jobs=1, seed=0)
acai.evaluation.offline:evaluate(k=10, which=None, relevant_from=-inf, memory=268435456)
acai.evaluation.per_user:evaluate_per_user(k=10, which=None, relevant_from=-inf, memory=268435456)
acai.evaluation.search:Trial(error='')
acai.evaluation.search:grid_search(metric=None, folds=5, n_jobs=1, seed=0, resume=None, progress=False)
acai.evaluation.search:random_search(n=20, metric=None, folds=5, n_jobs=1, seed=0, resume=None, progress=False)
acai.gradcheck.asserting:assert_gradients(target=None)
acai.gradcheck.check:check(target=None, method='auto', step=0.5, nudge=None, seed=0, between=None, \
points=None, axes=None, geometries=None)
acai.gradcheck.functions:check_function(method='auto', seed=0, between=None, points=None, axes=None)
acai.gradcheck.identities:adjoint(seed=0)
acai.gradcheck.identities:check_steps(n_steps=3, seed=0)
acai.nn.activations:Dropout(rate=0.5, seed=None)
acai.nn.conv:Conv2D(stride=1, padding=0, seed=None, dtype=float32, init='he')
acai.nn.layer:Layer.backward(want_dx=True)
acai.nn.linear:Linear(seed=None, dtype=float32, init='he')
acai.nn.network:Sequential.backward(want_dx=True)
acai.nn.optimizer:SGD(momentum=0.9, weight_decay=0.0, nesterov=False, decay=0.0)
acai.nn.plain:Conv(C=2, O=3, kernel=(2, 2), stride=(1, 1), padding=(0, 0), dilation=(1, 1), seed=0)
acai.nn.plain:Linear(D=4, O=4, seed=0)
acai.nn.plain:MaxPool(size=(2, 2), stride=(2, 2), padding=(0, 0))
acai.nn.plain:padded(value=0.0)
acai.nn.pool:GlobalPool(kinds=('mean', 'max', 'l2'))
acai.nn.pool:MaxPool2D(stride=None, padding=0)
""".split("\n")[1:-1]


@pytest.mark.parametrize("declared", FUNCTIONS)
def test_the_defaults_of_functions_are_those_declared(declared):
    name = declared.partition("(")[0]
    module, _, path = name.partition(":")
    signature = inspect.signature(operator.attrgetter(path)(importlib.import_module(module)))
    optional = [argument for argument in signature.parameters.values() if argument.default is not argument.empty]
    defaults = [f"{argument.name}={getattr(argument.default, '__name__', repr(argument.default))}" for argument in optional]
    assert f"{name}({', '.join(defaults)})" == declared
