"""Codebooks: nearest centroids, means by weight, seeds, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest

from pimlico.verif.pim.codebooks import codebooks, decode, encode, squared_error


def mixture(rng, n=300, d=12, kinds=20, noise=0.05):
    """Vectors around a few, and weights of which few are large."""
    around = rng.normal(size=(kinds, d))
    vectors = around[rng.integers(kinds, size=n)] + rng.normal(scale=noise, size=(n, d))
    return vectors, rng.pareto(1.5, size=n)


def distances(vectors, centroids):
    """Squared distances one by one, of shape (n, m, k)."""
    m, _, dsub = centroids.shape
    return np.array([[[sum((vector[s * dsub + j] - centroid[j]) ** 2 for j in range(dsub))
                       for centroid in centroids[s]] for s in range(m)] for vector in vectors])


def test_each_subvector_has_the_nearest_centroid(seed):
    rng = np.random.default_rng(seed)
    vectors, weights = rng.normal(size=(40, 6)), rng.random(40)
    centroids, indices = codebooks(vectors, 3, 7, weights, rng)
    assert (centroids.shape, indices.shape) == ((3, 7, 2), (40, 3))
    apart = distances(vectors, centroids)
    assert (indices == apart.argmin(axis=2)).all()
    assert (encode(vectors, centroids) == indices).all()
    assert squared_error(vectors, centroids, weights) == pytest.approx(
        (apart.min(axis=2).sum(axis=1) * weights).sum())
    assert squared_error(vectors, centroids) == pytest.approx(apart.min(axis=2).sum())


def test_the_nearest_is_found_far_from_the_origin(seed):
    rng = np.random.default_rng(seed)
    centroids = rng.normal(size=(2, 9, 4)) + 1e6
    vectors = rng.normal(size=(50, 8)) + 1e6
    assert (encode(vectors, centroids) == distances(vectors, centroids).argmin(axis=2)).all()


def test_of_equal_centroids_the_lowest_is_taken():
    centroids = np.array([[[0.0], [2.0], [2.0], [4.0]]])
    assert encode([[2.1], [1.0], [3.0], [5.0]], centroids).ravel().tolist() == [1, 0, 1, 3]


def test_vectors_are_made_of_centroids(seed):
    rng = np.random.default_rng(seed)
    centroids, indices = rng.normal(size=(3, 8, 2)), rng.integers(8, size=(5, 3))
    made = decode(indices, centroids)
    assert made.shape == (5, 6)
    for vector, chosen in zip(made, indices, strict=True):
        assert vector.tolist() == [*centroids[0, chosen[0]], *centroids[1, chosen[1]],
                                   *centroids[2, chosen[2]]]


def test_as_many_centroids_as_different_vectors_leave_no_error(seed):
    rng = np.random.default_rng(seed)
    few = rng.normal(size=(11, 8))
    vectors = few[np.concatenate([np.arange(11), rng.integers(11, size=60)])]
    centroids, indices = codebooks(vectors, 2, 11, None, rng)
    assert squared_error(vectors, centroids) == pytest.approx(0, abs=1e-20)
    assert np.allclose(decode(indices, centroids), vectors)
    assert all(len(np.unique(indices[:, s])) == 11 for s in range(2))


def test_more_centroids_than_vectors_are_no_harm(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(5, 4))
    centroids, indices = codebooks(vectors, 2, 16, None, rng)
    assert np.isfinite(centroids).all()
    assert np.allclose(decode(indices, centroids), vectors)


def test_centroids_that_stay_are_means_by_weight(seed):
    rng = np.random.default_rng(seed)
    vectors, weights = mixture(rng)
    weights /= 1000
    centroids, indices = codebooks(vectors, 3, 16, weights, rng, rounds=500)
    for s in range(3):
        for c in np.unique(indices[:, s]):
            mine = indices[:, s] == c
            mean = np.average(vectors[mine, 4 * s:4 * s + 4], axis=0, weights=weights[mine])
            assert np.allclose(centroids[s, c], mean)


def test_a_round_never_makes_it_worse(seed):
    vectors, weights = mixture(np.random.default_rng(seed))
    errors = [squared_error(vectors, codebooks(
        vectors, 3, 16, weights, np.random.default_rng(seed), rounds)[0], weights)
        for rounds in range(12)]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(errors))
    assert errors[-1] < errors[0]


def test_a_centroid_without_vectors_moves_to_the_worst_represented(monkeypatch):
    # all seeds in one place: the second and third centroids are of none
    monkeypatch.setattr("pimlico.verif.pim.codebooks._seeds",
                        lambda parts, k, weights, rng: np.zeros((1, k, 1)))
    vectors, weights = [[0.0], [1.0], [9.0], [4.0]], [1, 90, 1, 1]
    centroids, _ = codebooks(vectors, 1, 3, weights, np.random.default_rng(0), rounds=1)
    # by weight times squared distance: 90 of the second, 81 of the third
    assert centroids.ravel()[1:].tolist() == [1.0, 9.0]


def test_weights_draw_centroids_to_what_counts(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(400, 8))
    weights = np.where(np.arange(400) < 20, 100.0, 1.0)
    weighed, _ = codebooks(vectors, 2, 16, weights, np.random.default_rng(seed))
    alike, _ = codebooks(vectors, 2, 16, None, np.random.default_rng(seed))
    assert squared_error(vectors[:20], weighed) < 0.5 * squared_error(vectors[:20], alike)
    assert squared_error(vectors[20:], weighed) > squared_error(vectors[20:], alike)


def test_what_weighs_nothing_is_no_seed_and_moves_nothing(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(60, 4))
    weights = np.where(np.arange(60) < 50, rng.random(60), 0.0)
    far = np.concatenate([vectors[:50], vectors[50:] + 1e3])
    before, _ = codebooks(vectors, 2, 8, weights, np.random.default_rng(seed))
    after, indices = codebooks(far, 2, 8, weights, np.random.default_rng(seed))
    assert np.abs(after).max() < 10
    assert np.allclose(np.sort(before, axis=1), np.sort(after, axis=1))
    assert indices.shape == (60, 2)


def test_seeds_are_better_than_vectors_taken_at_random(seed):
    rng = np.random.default_rng(seed)
    around = 100 * rng.normal(size=(16, 4))
    vectors = around[np.arange(320) % 16] + rng.normal(scale=0.01, size=(320, 4))
    centroids, _ = codebooks(vectors, 1, 16, None, rng, rounds=0)
    # a place that no seed fell to would cost more than all that is left of the others
    assert squared_error(vectors, centroids) < 320


def test_the_generator_decides(seed):
    vectors, weights = mixture(np.random.default_rng(seed))
    one, same, other = (codebooks(vectors, 3, 8, weights, np.random.default_rng(number))[0]
                        for number in (seed, seed, seed + 1))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize(("shape", "m", "k", "weights", "said"), [
    ((4, 6), 4, 2, None, "cannot be cut into 4"), ((4, 6), 0, 2, None, "cannot be cut into 0"),
    ((6,), 2, 2, None, "cannot be cut"), ((0, 6), 2, 2, None, "of 0 vectors"),
    ((4, 6), 2, 0, None, "0 centroids"), ((4, 6), 2, 2, [1, 2, 3], "weights must be 4"),
    ((4, 6), 2, 2, [1, 2, 3, -1], "none negative"), ((4, 6), 2, 2, [0, 0, 0, 0], "not all zero"),
    ((4, 6), 2, 2, [1, 2, 3, np.nan], "weights must be 4")])
def test_what_makes_no_codebook_is_refused(shape, m, k, weights, said):
    with pytest.raises(ValueError, match=said):
        codebooks(np.ones(shape), m, k, weights, np.random.default_rng(0))


def test_vectors_of_another_length_are_refused():
    for call in (encode, squared_error):
        with pytest.raises(ValueError, match="subvectors of 3 elements"):
            call(np.ones((2, 6)), np.ones((2, 4, 2)))
