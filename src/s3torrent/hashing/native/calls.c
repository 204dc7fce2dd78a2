/* The hashing functions of the Python module: arguments in, checked; digests out, the GIL free meanwhile. */
#define _FILE_OFFSET_BITS 64
#define _POSIX_C_SOURCE 200809L
#include "module.h"

#include <errno.h>
#include <sys/stat.h>

enum { QUICK = 4096 }; /* bytes that are hashed sooner than another thread takes the GIL */

/* PyArg_ParseTuple, but numbers past 64 bits and buffers with gaps are ValueError, as other wrong values are. */
static bool parse(PyObject *arguments, const char *format, ...)
{
    va_list targets;
    va_start(targets, format);
    bool parsed = PyArg_VaParse(arguments, format, targets);
    va_end(targets);
    if (parsed) return true;
    if (PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_SetString(PyExc_ValueError, "a number is past 64 bits; expected an offset or a length in bytes");
    else if (PyErr_ExceptionMatches(PyExc_BufferError))
        PyErr_SetString(PyExc_ValueError, "the bytes do not lie in a row; expected a contiguous buffer");
    return false;
}

/* What one call hashes, and where the digests go. */
struct job {
    struct source source;
    uint64_t piece_length; /* 0: no pieces */
    bool with_leaves;
    PyObject *pieces, *leaves;
};

static bool check_piece_length(long long piece_length, bool with_leaves)
{
    if (piece_length <= 0) {
        PyErr_Format(PyExc_ValueError, "piece length is %lld; expected at least 1", piece_length);
        return false;
    }
    if (with_leaves && (piece_length < LEAF || piece_length & (piece_length - 1))) {
        PyErr_Format(PyExc_ValueError, "piece length is %lld; expected a power of two from 16384 (BEP 52)",
                     piece_length);
        return false;
    }
    return true;
}

/* Room for a digest of `digest` bytes for each `each` bytes. ValueError where no bytes object is that long. */
static PyObject *room(uint64_t size, uint64_t each, size_t digest)
{
    uint64_t count = size / each + (size % each != 0);
    if (count > (uint64_t)PY_SSIZE_T_MAX / digest) {
        PyErr_Format(PyExc_ValueError, "%llu digests are more than memory can hold", (unsigned long long)count);
        return NULL;
    }
    return PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * digest));
}

static PyObject *result(struct job *job)
{
    if (!job->piece_length) return job->leaves;
    if (!job->with_leaves) return job->pieces;
    PyObject *both = PyTuple_Pack(2, job->pieces, job->leaves);
    Py_DECREF(job->pieces);
    Py_DECREF(job->leaves);
    return both;
}

static void raise_outcome(const struct job *job, enum outcome outcome)
{
    if (outcome == NO_MEMORY) {
        PyErr_NoMemory();
    } else if (job->source.error) {
        errno = job->source.error;
        PyErr_SetFromErrno(PyExc_OSError);
    } else {
        PyErr_SetString(PyExc_EOFError, "the file ends before the bytes that were asked for");
    }
}

/* Allocate, hash, and hand the digests back; NULL with the error set. */
static PyObject *run(struct job *job)
{
    ensure_chosen();
    struct choice sha1_choice = chosen.sha1, sha256_choice = chosen.sha256;
    uint64_t size = job->source.size;
    uint8_t *pieces = NULL, *leaves = NULL;
    if (job->piece_length) {
        if (!(job->pieces = room(size, job->piece_length, sha1.digest))) return NULL;
        pieces = (uint8_t *)PyBytes_AsString(job->pieces);
    }
    if (job->with_leaves) {
        if (!(job->leaves = room(size, LEAF, sha256.digest))) {
            Py_CLEAR(job->pieces);
            return NULL;
        }
        leaves = (uint8_t *)PyBytes_AsString(job->leaves);
    }
    PyThreadState *thread = size > QUICK || !job->source.base ? PyEval_SaveThread() : NULL;
    enum outcome outcome =
        job->piece_length
            ? hash_pieces(&job->source, &sha1_choice, &sha256_choice, job->piece_length, pieces, leaves)
            : hash_leaves(&job->source, &sha256_choice, leaves);
    if (thread) PyEval_RestoreThread(thread);
    if (outcome == HASHED) return result(job);
    raise_outcome(job, outcome);
    Py_CLEAR(job->pieces);
    Py_CLEAR(job->leaves);
    return NULL;
}

/* From memory. Releases the buffer. */
static PyObject *run_on_buffer(Py_buffer *data, long long piece_length, bool with_pieces, bool with_leaves)
{
    static const uint8_t nothing[1];
    struct job job = {
        .source = {.base = data->len ? data->buf : nothing, .size = (uint64_t)data->len},
        .piece_length = with_pieces ? (uint64_t)piece_length : 0,
        .with_leaves = with_leaves,
    };
    PyObject *digests = !with_pieces || check_piece_length(piece_length, with_leaves) ? run(&job) : NULL;
    PyBuffer_Release(data);
    return digests;
}

/* From a file. Its length is asked first: what cannot be there is refused before anything is allocated for it. */
static PyObject *run_on_file(int fd, long long start, long long end, long long piece_length, bool with_pieces,
                             bool with_leaves)
{
    struct stat info;
    if (start < 0 || end < start) {
        PyErr_Format(PyExc_ValueError, "range is %lld..%lld; expected 0 <= start <= end", start, end);
        return NULL;
    }
    if (with_pieces && !check_piece_length(piece_length, with_leaves)) return NULL;
    if (fstat(fd, &info)) return PyErr_SetFromErrno(PyExc_OSError);
    if (!S_ISREG(info.st_mode)) {
        PyErr_Format(PyExc_ValueError, "file descriptor %d is no regular file", fd);
        return NULL;
    }
    if (end > info.st_size) {
        PyErr_Format(PyExc_EOFError, "the file ends at %lld; expected at least %lld bytes",
                     (long long)info.st_size, end);
        return NULL;
    }
    struct job job = {
        .source = {.fd = fd, .start = (uint64_t)start, .size = (uint64_t)(end - start)},
        .piece_length = with_pieces ? (uint64_t)piece_length : 0,
        .with_leaves = with_leaves,
    };
    return run(&job);
}

PyObject *call_pieces(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer data;
    long long piece_length;
    if (!parse(arguments, "y*L:pieces", &data, &piece_length)) return NULL;
    return run_on_buffer(&data, piece_length, true, false);
}

PyObject *call_leaves(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer data;
    if (!parse(arguments, "y*:leaves", &data)) return NULL;
    return run_on_buffer(&data, 0, false, true);
}

/* Lengths as numbers of C, which must add up to the `size` bytes there are; NULL with the error set. */
static size_t *lengths_of(PyObject *sequence, size_t size, size_t *count, size_t *leaves)
{
    PyObject *tuple = PySequence_Tuple(sequence);
    if (!tuple) return NULL;
    *count = (size_t)PyTuple_Size(tuple);
    *leaves = 0;
    size_t *lengths = PyMem_Malloc((*count + 1) * sizeof *lengths), left = size;
    if (!lengths) PyErr_NoMemory();
    for (size_t i = 0; lengths && i < *count; i++) {
        lengths[i] = PyLong_AsSize_t(PyTuple_GetItem(tuple, (Py_ssize_t)i));
        if (PyErr_Occurred() || lengths[i] > left) {
            if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError))
                PyErr_SetString(PyExc_ValueError, "a file's length is below 0, or past the end of the bytes");
            PyMem_Free(lengths);
            lengths = NULL;
            break;
        }
        left -= lengths[i];
        *leaves += lengths[i] / LEAF + (lengths[i] % LEAF != 0);
    }
    Py_DECREF(tuple);
    if (lengths && left) {
        PyErr_Format(PyExc_ValueError, "%zu bytes are left behind the last file; expected none", left);
        PyMem_Free(lengths);
        lengths = NULL;
    }
    return lengths;
}

PyObject *call_leaves_of_files(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer data;
    PyObject *sequence, *digests = NULL;
    size_t count, leaves;
    if (!parse(arguments, "y*O:leaves_of_files", &data, &sequence)) return NULL;
    size_t *lengths = lengths_of(sequence, (size_t)data.len, &count, &leaves);
    if (lengths) digests = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(leaves * 32));
    if (digests) {
        ensure_chosen();
        struct choice choice = chosen.sha256;
        uint8_t *out = (uint8_t *)PyBytes_AsString(digests);
        PyThreadState *thread = data.len > QUICK ? PyEval_SaveThread() : NULL;
        hash_file_leaves(data.buf, lengths, count, &choice, out);
        if (thread) PyEval_RestoreThread(thread);
    }
    PyMem_Free(lengths);
    PyBuffer_Release(&data);
    return digests;
}

PyObject *call_hybrid(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer data;
    long long piece_length;
    if (!parse(arguments, "y*L:hybrid", &data, &piece_length)) return NULL;
    return run_on_buffer(&data, piece_length, true, true);
}

PyObject *call_pairs(PyObject *module, PyObject *arguments)
{
    (void)module;
    Py_buffer hashes;
    if (!parse(arguments, "y*:pairs", &hashes)) return NULL;
    PyObject *parents = NULL;
    if (hashes.len % 64)
        PyErr_Format(PyExc_ValueError, "%zd bytes of hashes; expected pairs of 32 bytes each", hashes.len);
    else
        parents = PyBytes_FromStringAndSize(NULL, hashes.len / 2);
    if (parents) {
        ensure_chosen();
        struct choice choice = chosen.sha256;
        uint8_t *out = (uint8_t *)PyBytes_AsString(parents);
        PyThreadState *thread = hashes.len > QUICK ? PyEval_SaveThread() : NULL;
        hash_pairs(hashes.buf, (size_t)hashes.len / 64, &choice, out);
        if (thread) PyEval_RestoreThread(thread);
    }
    PyBuffer_Release(&hashes);
    return parents;
}

PyObject *call_file_pieces(PyObject *module, PyObject *arguments)
{
    (void)module;
    int fd;
    long long start, end, piece_length;
    if (!parse(arguments, "iLLL:file_pieces", &fd, &start, &end, &piece_length)) return NULL;
    return run_on_file(fd, start, end, piece_length, true, false);
}

PyObject *call_file_leaves(PyObject *module, PyObject *arguments)
{
    (void)module;
    int fd;
    long long start, end;
    if (!parse(arguments, "iLL:file_leaves", &fd, &start, &end)) return NULL;
    return run_on_file(fd, start, end, 0, false, true);
}

PyObject *call_file_hybrid(PyObject *module, PyObject *arguments)
{
    (void)module;
    int fd;
    long long start, end, piece_length;
    if (!parse(arguments, "iLLL:file_hybrid", &fd, &start, &end, &piece_length)) return NULL;
    return run_on_file(fd, start, end, piece_length, true, true);
}
