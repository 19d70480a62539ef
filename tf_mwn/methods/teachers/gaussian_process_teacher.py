"""A Gaussian process that predicts labels and their variances from features."""

import warnings

import numpy as np

from tf_mwn.methods.teachers.specs import FWL_CLUSTERS, FWL_LENGTH_SCALE

# Most trusted examples of one process, which factorises their covariance [M, M] in float64.
LARGEST = 5000
# Added to the diagonal, so that near-duplicates can be factorised.
JITTER = 1e-6


def check_teacher(num_trusted: int, clusters: int) -> None:
    """Checks that the trusted set can be fitted.

    Raises:
        ValueError: more clusters than examples, or too many examples for each cluster.
    """
    if clusters > num_trusted:
        raise ValueError(
            f"fwl_clusters: expected at most the {num_trusted} examples of the meta set, "
            f"received {clusters}"
        )
    if num_trusted > LARGEST * clusters:
        raise ValueError(
            f"meta set: expected at most {LARGEST} examples for each Gaussian process, received "
            f"{num_trusted} for {clusters}; raise fwl_clusters or take a smaller meta set"
        )


class GaussianProcessTeacher:
    """Regression of labels on standardised features, without noise except for a jitter.

    The targets are the labels minus 1/C, and the covariance is exp(-|ψ - ψ'|²/(2 s²)). Far from all
    trusted examples the posterior is therefore the uniform distribution with variance 1. Every
    k-means cluster of the trusted examples has its own process. It labels the examples that are
    nearest to the centre of the cluster.

    A fit takes O(M³) for M trusted examples in a cluster, and labelling O(M²) for each example.

    Args:
        features: ψ of the trusted examples, [M, F].
        labels: their labels as distributions, [M, C].
        length_scale: "median" for s = the median distance of two trusted examples, or
            "marginal_likelihood" for the s that makes the labels most likely, with a search that
            starts at the median.
        clusters: number of clusters.

    Raises:
        ValueError: an unknown `length_scale`, or as `check_teacher`.
    """

    def __init__(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        length_scale: str = "median",
        clusters: int = 1,
    ):
        # Imported late: scikit-learn is slow to import, and only this method needs it.
        from sklearn.cluster import KMeans
        from sklearn.preprocessing import StandardScaler

        FWL_LENGTH_SCALE.check(length_scale)
        check_teacher(len(features), FWL_CLUSTERS.check(clusters))
        self._scaler = StandardScaler().fit(np.asarray(features, np.float64))
        points = self._scaled(features)
        self._clusters = KMeans(clusters, n_init=1, random_state=0).fit(points)
        targets = np.asarray(labels, np.float64) - 1.0 / labels.shape[1]
        members = [self._clusters.labels_ == k for k in range(clusters)]
        self._processes = [_fitted(points[m], targets[m], length_scale) for m in members]

    def __call__(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Labels of examples with these features, and the variances of the labels.

        Args:
            features: [N, F].

        Returns:
            The posterior mean, clipped at 0 and scaled to distributions [N, C]; the posterior
            variance [N], in [0, 1].
        """
        points = self._scaled(features)
        nearest = self._clusters.predict(points)
        means = np.empty((len(points), self._processes[0].y_train_.shape[1]))
        variances = np.empty(len(points))
        for k in np.unique(nearest):
            rows = nearest == k
            means[rows], variances[rows] = _posterior(self._processes[k], points[rows])
        labels = np.maximum(means + 1.0 / means.shape[1], 0.0)
        return labels / labels.sum(axis=1, keepdims=True), variances

    def _scaled(self, features):
        return self._scaler.transform(np.asarray(features, np.float64))


def median_distance(points: np.ndarray) -> float:
    """The median distance of two different points of [M, F]; 1 if all points are equal."""
    from scipy.spatial.distance import pdist

    distances = pdist(points)
    distances = distances[distances > 0]
    return float(np.median(distances)) if len(distances) else 1.0


def _fitted(points, targets, length_scale):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF

    median = median_distance(points)
    kernel = RBF(median, (1e-2 * median, 1e2 * median))
    optimizer = "fmin_l_bfgs_b" if length_scale == "marginal_likelihood" else None
    process = GaussianProcessRegressor(kernel, alpha=JITTER, optimizer=optimizer)
    with warnings.catch_warnings():
        # Labels without a pattern have no maximum of the likelihood; the bound is taken instead.
        warnings.filterwarnings("ignore", message="The optimal value found")
        return process.fit(points, targets)


def _posterior(process, points) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        # At a trusted example the variance is 0 up to a rounding error, which may be negative.
        warnings.filterwarnings("ignore", message="Predicted variances smaller than 0")
        mean, deviation = process.predict(points, return_std=True)
    # All outputs have the same covariance and hence the same variance.
    return mean.reshape(len(points), -1), deviation.reshape(len(points), -1)[:, 0] ** 2
