"""Compares the default settings of `wgrad train` with those of scikit-learn's MLPs, on small tables.

    python3 bench/defaults.py [--splits 4] [--first 0] [--command "node dist/cli.js"] [--device cpu] [--sets wine,diabetes]

For each data set and each split (a quarter of the rows is held out for testing) it prints the accuracy, or R2 for
regression; then a Markdown table of the means. It needs scikit-learn, and wgrad built by `npx vite build`.
The splits are those of train_test_split with random_state = first, first + 1, ...
"""
import argparse, json, os, subprocess, tempfile, warnings

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[threads] = "1"
import numpy as np
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")


def data_sets():
    """Name -> (is regression, features, targets or labels)."""
    classes = datasets.make_classification
    random = np.random.RandomState(57)
    points = random.uniform(-2, 2, (250, 3))
    bumps = np.sin(2 * points[:, 0]) * points[:, 1] + 0.5 * points[:, 2] + 0.3 * random.randn(250)
    return {
        "wine": (False, *datasets.load_wine(return_X_y=True)),
        "breast cancer": (False, *datasets.load_breast_cancer(return_X_y=True)),
        "digits": (False, *datasets.load_digits(return_X_y=True)),
        "iris": (False, *datasets.load_iris(return_X_y=True)),
        "3 noisy classes": (False, *classes(300, 15, n_informative=6, n_classes=3, flip_y=0.08, random_state=51)),
        "2 noisy classes": (False, *classes(800, 25, n_informative=10, n_clusters_per_class=3, flip_y=0.05, random_state=52)),
        "moons": (False, *datasets.make_moons(200, noise=0.3, random_state=53)),
        "diabetes": (True, *datasets.load_diabetes(return_X_y=True)),
        "noisy linear": (True, *datasets.make_regression(250, 12, n_informative=7, noise=80, random_state=54)),
        "friedman1": (True, *datasets.make_friedman1(400, 9, noise=1.5, random_state=55)),
        "friedman2": (True, *datasets.make_friedman2(300, noise=150, random_state=56)),
        "bumps": (True, points, bumps),
    }


def baselines(is_regression, seed):
    """Name -> scikit-learn's model, on standardized features."""
    if not is_regression:
        models = {"MLP": MLPClassifier(random_state=seed), "linear": LogisticRegression(max_iter=1000)}
    else:
        stopping = MLPRegressor(early_stopping=True, random_state=seed)
        plain = MLPRegressor(random_state=seed)
        # With standardized targets: otherwise most runs have not converged after scikit-learn's 200 epochs.
        scaled = {
            "MLP, early stopping, y scaled": TransformedTargetRegressor(stopping, transformer=StandardScaler()),
            "MLP, y scaled": TransformedTargetRegressor(plain, transformer=StandardScaler()),
        }
        models = {"MLP, early stopping": stopping, **scaled, "linear": LinearRegression()}
    return {name: make_pipeline(StandardScaler(), model) for name, model in models.items()}


def write_csv(path, features, targets, is_regression):
    with open(path, "w") as file:
        file.write(",".join([f"x{index}" for index in range(features.shape[1])] + ["y"]) + "\n")
        for row, target in zip(features, targets):
            label = repr(float(target)) if is_regression else f"c{target}"
            file.write(",".join([*(repr(float(value)) for value in row), label]) + "\n")


def wgrad_score(command, device, parts, is_regression, folder):
    train, test, train_targets, test_targets = parts
    paths = {name: os.path.join(folder, name) for name in ("train.csv", "test.csv", "run.jsonl")}
    write_csv(paths["train.csv"], train, train_targets, is_regression)
    write_csv(paths["test.csv"], test, test_targets, is_regression)
    options = ["train", "--csv", paths["train.csv"], "--test-csv", paths["test.csv"], "--device", device, "--log", paths["run.jsonl"]]
    subprocess.run([*command.split(), *options], check=True, stdout=subprocess.DEVNULL)
    with open(paths["run.jsonl"]) as log:
        done = json.loads(log.read().strip().split("\n")[-1])
    return done["testR2" if is_regression else "testAccuracy"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--splits", type=int, default=4)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--command", default="node dist/cli.js")
    options.add_argument("--device", default="cpu")
    options.add_argument("--sets", default="")
    given = options.parse_args()
    chosen = [name for name in given.sets.split(",") if name]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (is_regression, features, targets) in data_sets().items():
            if chosen and name not in chosen:
                continue
            scores = {}
            for seed in range(given.first, given.first + given.splits):
                stratify = None if is_regression else targets
                parts = train_test_split(features, targets, test_size=0.25, random_state=seed, stratify=stratify)
                train, test, train_targets, test_targets = parts
                scores.setdefault("wgrad", []).append(wgrad_score(given.command, given.device, parts, is_regression, folder))
                for baseline, model in baselines(is_regression, seed).items():
                    scores.setdefault(baseline, []).append(model.fit(train, train_targets).score(test, test_targets))
            means = {model: np.mean(values) for model, values in scores.items()}
            text = ", ".join(f"{model} {mean:.3f}" for model, mean in means.items())
            rows.append(f"| {name}, {len(targets)} × {features.shape[1]} | {text} |")
            print(name, {model: [round(float(value), 3) for value in values] for model, values in scores.items()}, flush=True)
    print("\n".join(["| data set | mean |", "|---|---|", *rows]))


if __name__ == "__main__":
    main()
