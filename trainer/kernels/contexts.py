"""The strongest contexts of words, from exact counts, and the passages that show them.

A row of counts is made from the places of its word, as for a co-occurrence table; but only the best cells of it are
kept, so that no table is ever written. Rows are independent, so threads take different ones.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from trainer.kernels.options import KERNEL_OPTIONS
from trainer.kernels.simd import prefetch_row

AHEAD, LINE_NUMBERS = 12, 32
"""So many places ahead, the two cache lines around a place are asked for: places lie far apart."""
MANY_PAIRS = 1
"""From so many pairs a column on, to look at all columns takes less time than to note which ones a word is near."""
STEP_BITS, N_STEPS = 49, 256
"""Products are sorted into eight steps from each power of two to the next, and the smallest ones together."""
PLACES = 3
"""Places of a pair that are looked for."""
SHOWN_A_PASSAGE = 2
"""So many contexts for each passage are looked for, the strongest: few others would get one."""
MOST_LOOKED_AT = 512
"""Places of a word that are looked at for them; of a more frequent word some are, evenly spread."""


@njit(**KERNEL_OPTIONS)
def count_pairs(ids, window, counts, totals):
    """Add to `counts` how often each word stands in `ids`, and to `totals` how many words stand near all its places.

    Parameters
    ----------
    ids : int32 (n_positions,), negative at line ends, where windows end
    window : words on each side that are near
    counts, totals : int64 (n_words,), added to
    """
    start = 0
    for end in range(len(ids) + 1):
        if end < len(ids) and ids[end] >= 0:
            continue
        for place in range(start, end):
            counts[ids[place]] += 1
            totals[ids[place]] += min(window, place - start) + min(window, end - 1 - place)
        start = end + 1


@njit(**KERNEL_OPTIONS)
def write_positions(ids, words, next_places, positions):
    """Write the positions of some words in `ids` (int32) to `positions`, word by word.

    `words` are the first one and the one after the last; `next_places` (int64, one each, overwritten) says where the
    positions of each begin.
    """
    first, n_words = words[0], np.uint64(words[1] - words[0])
    for position in range(len(ids)):
        word = np.uint64(ids[position] - first)  # unsigned, so that one look tells words before the first one, too
        if word < n_words:
            positions[next_places[word]] = position
            next_places[word] += 1


@njit(**KERNEL_OPTIONS)
def _keep_best(sums, touched, weights, bar, products, best_ids, best_counts):
    """Write the touched columns of the largest sum x weight above `bar`, and clear the sums.

    `touched` and `products` are overwritten.
    """
    n_above, n_best, most = 0, 0, len(best_ids)
    for column in touched:
        products[n_above], touched[n_above] = np.int64(sums[column]) * weights[column], column
        n_above += products[n_above] > bar  # no branch: it would be guessed wrong
        sums[column] = 0
    for i in range(_strongest(products, touched, n_above, most)):
        product, column = products[i], touched[i]
        if n_best == most and not _is_before(product, column, products[most - 1], touched[most - 1]):
            continue
        n_best = min(n_best + 1, most)
        place = n_best - 1
        while place > 0 and _is_before(product, column, products[place - 1], touched[place - 1]):
            products[place], touched[place] = products[place - 1], touched[place - 1]
            place -= 1
        products[place], touched[place] = product, column
    for i in range(n_best):
        best_ids[i] = touched[i]
        best_counts[i] = np.int64(np.rint(products[i] / weights[touched[i]]))  # the sum, below 2**50


@njit(**KERNEL_OPTIONS)
def _strongest(products, columns, n_products, n_wanted):
    """Move the `n_wanted` largest of so many positive products to the front, with a few more; how many they are.

    They are counted by the first bits of their exponents and fractions, which order as they do.
    """
    if n_products <= n_wanted:
        return n_products
    codes, numbers = products.view(np.int64), np.zeros(N_STEPS, np.int32)
    largest = codes[0]
    for i in range(n_products):
        largest = max(largest, codes[i])
    top = largest >> STEP_BITS
    for i in range(n_products):
        numbers[min(top - (codes[i] >> STEP_BITS), N_STEPS - 1)] += 1
    n_counted, step = 0, 0
    while n_counted < n_wanted:
        n_counted += numbers[step]
        step += 1
    if step == N_STEPS:
        return n_products
    least, n_kept = (top - step + 1) << STEP_BITS, 0
    for i in range(n_products):
        products[n_kept], columns[n_kept] = products[i], columns[i]
        n_kept += codes[n_kept] >= least
    return n_kept


@njit(**KERNEL_OPTIONS)
def _is_before(product, column, other_product, other):
    return product > other_product or (product == other_product and column < other)


@njit(**KERNEL_OPTIONS)
def choose_contexts(ids, places, rows, window, weights, least, sums, touched, chosen_ids, chosen_counts):
    """Count who stands near some words, and keep the contexts of the largest count x weight.

    Parameters
    ----------
    ids : int32 (n_positions,), the whole corpus, negative at line ends, where windows end
    places : tuple of two arrays: positions of these words in `ids`, word by word, and int64 (n_rows + 1,), where those
        of each word begin
    rows : tuple of int, the first word and the one after the last
    window : words on each side that are near
    weights : float64 (n_columns,), of contexts; words from ``n_columns`` on are none
    least : float64 (n_words,), of words: contexts whose product is not larger are left out
    sums : unsigned (n_columns + 1,), this thread's, zero; zero again afterwards
    touched : int32 (n_columns + 2,), this thread's, overwritten
    chosen_ids : int32 (n_words, n_contexts), -1; written for the rows: by product, largest first, ties by id
    chosen_counts : int64 (n_words, n_contexts), 0; written for the rows: how often each was counted
    """
    positions, starts = places
    n_columns = len(weights)
    products = np.empty(n_columns)
    for row in range(rows[0], rows[1]):
        mine = positions[starts[row - rows[0]] : starts[row - rows[0] + 1]]
        if 2 * window * len(mine) < MANY_PAIRS * n_columns:
            n_touched = _count_touched(ids, mine, window, n_columns, sums, touched)
        else:
            n_touched = _count_all(ids, mine, window, n_columns, sums, touched)
        sums[n_columns] = 0
        mine = touched[:n_touched]
        _keep_best(sums, mine, weights, least[row], products, chosen_ids[row], chosen_counts[row])


@njit(**KERNEL_OPTIONS)
def _count_touched(ids, places, window, n_columns, sums, touched):
    """Add to `sums` who stands near the places, and write which columns these are; how many."""
    n_touched, end, last_column, one = 0, len(ids) - 1, np.int32(n_columns), sums.dtype.type(1)
    for place in range(len(places)):
        center = np.int64(places[place])
        if place + AHEAD < len(places):
            prefetch_row(ids.ctypes.data + 4 * (np.int64(places[place + AHEAD]) - window), LINE_NUMBERS)
        for side in range(2):
            step = 1 - 2 * side
            position = center
            for _ in range(min(window, end - center if side == 0 else center)):
                position += step
                if ids[position] < 0:
                    break
                column = np.uint64(min(ids[position], last_column))  # no branch, nor one for negative indices
                touched[n_touched] = column
                n_touched += sums[column] == 0
                sums[column] += one
    return n_touched


@njit(**KERNEL_OPTIONS)
def _count_all(ids, places, window, n_columns, sums, touched):
    """The same, by a look at all sums behind the counting."""
    n_touched, end, last_column, one = 0, len(ids) - 1, np.int32(n_columns), sums.dtype.type(1)
    for place in range(len(places)):
        center = np.int64(places[place])
        if place + AHEAD < len(places):
            prefetch_row(ids.ctypes.data + 4 * (np.int64(places[place + AHEAD]) - window), LINE_NUMBERS)
        for side in range(2):
            step = 1 - 2 * side
            position = center
            for _ in range(min(window, end - center if side == 0 else center)):
                position += step
                if ids[position] < 0:
                    break
                sums[np.uint64(min(ids[position], last_column))] += one
    for column in range(n_columns):
        touched[n_touched] = column
        n_touched += sums[column] != 0
    return n_touched


@njit(**KERNEL_OPTIONS)
def choose_examples(ids, places, rows, window, chosen_ids, ranks, examples):
    """Write passages around places of some words that show their contexts, the strongest first.

    A passage is a run of one line that has the word and a context of it within the window. Each context has its first
    passage before any has its second; one that a passage has shown already is passed over.

    Parameters
    ----------
    ids, places, rows, window : as for `choose_contexts`
    chosen_ids : int32 (n_words, n_contexts), the contexts, strongest first, -1 behind
    ranks : int32 (n_columns,), this thread's, -1 everywhere; so again afterwards
    examples : int32 (n_words, n_examples, n_passage_words), -1; passages are written for the rows
    """
    positions, starts = places
    n_sought = min(chosen_ids.shape[1], SHOWN_A_PASSAGE * examples.shape[1])
    found, n_found = np.empty((n_sought, PLACES, 2), np.int64), np.zeros(n_sought, np.int64)
    n_shown = np.zeros(n_sought, np.int64)
    for row in range(rows[0], rows[1]):
        mine = positions[starts[row - rows[0]] : starts[row - rows[0] + 1]]
        n_chosen = 0
        while n_chosen < n_sought and chosen_ids[row, n_chosen] >= 0:
            ranks[chosen_ids[row, n_chosen]] = n_chosen
            n_found[n_chosen], n_shown[n_chosen] = 0, 0
            n_chosen += 1
        _find_places(ids, mine, window, examples.shape[2], ranks, n_chosen, found, n_found)
        n_examples = 0
        for turn in range(PLACES):
            for rank in range(n_chosen):
                if n_examples == examples.shape[1] or n_found[rank] <= turn or n_shown[rank] > turn:
                    continue
                center = found[rank, turn, 0]
                start, end = _passage(ids, center, found[rank, turn, 1], examples.shape[2])
                for position in range(start, end):
                    word = ids[position]
                    examples[row, n_examples, position - start] = word
                    is_near = position != center and abs(position - center) <= window
                    if is_near and word < len(ranks) and ranks[word] >= 0:
                        n_shown[ranks[word]] += 1
                n_examples += 1
        for rank in range(n_chosen):
            ranks[chosen_ids[row, rank]] = -1


@njit(**KERNEL_OPTIONS)
def _find_places(ids, places, window, n_passage_words, ranks, n_chosen, found, n_found):
    """Write up to `PLACES` places of each context: where the word stands, and where the context does."""
    end, n_columns, n_missing = len(ids) - 1, len(ranks), n_chosen * PLACES
    stride = -(-len(places) // MOST_LOOKED_AT) if len(places) else 1
    reach = min(window, n_passage_words - 1)
    for place in range(0, len(places), stride):
        if n_missing == 0:
            break
        center = np.int64(places[place])
        if place + AHEAD * stride < len(places):
            prefetch_row(ids.ctypes.data + 4 * (np.int64(places[place + AHEAD * stride]) - window), LINE_NUMBERS)
        for side in range(2):
            step = 1 - 2 * side
            position = center
            for _ in range(min(reach, end - center if side == 0 else center)):
                position += step
                column = ids[position]
                if column < 0:
                    break
                if column < n_columns and ranks[column] >= 0 and n_found[ranks[column]] < PLACES:
                    rank = ranks[column]
                    found[rank, n_found[rank], 0], found[rank, n_found[rank], 1] = center, position
                    n_found[rank] += 1
                    n_missing -= 1


@njit(**KERNEL_OPTIONS)
def _passage(ids, one, other, n_words):
    """Where up to `n_words` words of one line begin and end, with two places of it in their middle."""
    start, end = min(one, other), max(one, other) + 1
    half = start - (n_words - (end - start)) // 2
    while start > 0 and start > half and ids[start - 1] >= 0:
        start -= 1
    while end < len(ids) and end - start < n_words and ids[end] >= 0:
        end += 1
    while start > 0 and end - start < n_words and ids[start - 1] >= 0:
        start -= 1
    return start, end
