/* The Python type Sha1, a stream of bytes like hashlib's, and update_many(), which carries several on at once. */
#include "module.h"
#include "stream.h"

#include <string.h>

enum { SHORT = 2048 }; /* bytes that are hashed sooner than another thread takes the GIL */

typedef struct {
    PyObject_HEAD
    bool busy; /* a thread is hashing without the GIL: nobody else may touch it */
    struct stream stream;
} Sha1;

static PyTypeObject *type;

static PyObject *sha1_new(PyTypeObject *wanted, PyObject *arguments, PyObject *keywords)
{
    if ((arguments && PyTuple_Size(arguments)) || (keywords && PyDict_Size(keywords)))
        return PyErr_Format(PyExc_TypeError, "Sha1() takes no arguments");
    allocfunc allocate = (allocfunc)PyType_GetSlot(wanted, Py_tp_alloc);
    Sha1 *self = (Sha1 *)allocate(wanted, 0);
    if (!self) return NULL;
    ensure_chosen();
    stream_begin(&chosen.sha1, &self->stream);
    return (PyObject *)self;
}

static void sha1_free(PyObject *self)
{
    PyTypeObject *own = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(own, Py_tp_free);
    release(self);
    Py_DECREF(own);
}

static bool is_free(const Sha1 *self)
{
    if (!self->busy) return true;
    PyErr_SetString(PyExc_ValueError, "the same Sha1 twice at once; expected different ones");
    return false;
}

/* Streams whose turn it is, with the data of each. */
struct batch {
    size_t count, bytes;
    Sha1 *self[MOST_LANES];
    Py_buffer view[MOST_LANES];
};

static bool add(struct batch *batch, PyObject *state, PyObject *data)
{
    if (!PyObject_TypeCheck(state, type)) {
        PyErr_Format(PyExc_TypeError, "expected a Sha1, not %R", Py_TYPE(state));
        return false;
    }
    Sha1 *self = (Sha1 *)state;
    if (!is_free(self)) return false;
    self->busy = true; /* first, for asking for the buffer may run anything */
    if (PyObject_GetBuffer(data, &batch->view[batch->count], PyBUF_SIMPLE)) {
        self->busy = false;
        if (PyErr_ExceptionMatches(PyExc_BufferError))
            PyErr_SetString(PyExc_ValueError, "the bytes do not lie in a row; expected a contiguous buffer");
        return false;
    }
    Py_INCREF(state);
    batch->bytes += (size_t)batch->view[batch->count].len;
    batch->self[batch->count++] = self;
    return true;
}

/* Hash what the batch has, unless an error is under way, and let go of it. */
static void run(struct batch *batch, bool hash)
{
    struct stream *streams[MOST_LANES];
    const uint8_t *data[MOST_LANES];
    size_t lengths[MOST_LANES];
    for (size_t i = 0; i < batch->count; i++) {
        streams[i] = &batch->self[i]->stream;
        data[i] = batch->view[i].buf;
        lengths[i] = (size_t)batch->view[i].len;
    }
    if (hash) {
        struct choice choice = chosen.sha1;
        PyThreadState *thread = batch->bytes > SHORT ? PyEval_SaveThread() : NULL;
        streams_update(&choice, streams, data, lengths, batch->count);
        if (thread) PyEval_RestoreThread(thread);
    }
    for (size_t i = 0; i < batch->count; i++) {
        batch->self[i]->busy = false;
        PyBuffer_Release(&batch->view[i]);
        Py_DECREF((PyObject *)batch->self[i]);
    }
    batch->count = batch->bytes = 0;
}

static PyObject *sha1_update(PyObject *self, PyObject *data)
{
    struct batch batch = {.count = 0};
    bool added = add(&batch, self, data);
    run(&batch, added);
    if (!added) return NULL;
    Py_RETURN_NONE;
}

static PyObject *sha1_digest(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!is_free((Sha1 *)self)) return NULL;
    uint8_t digest[20];
    stream_digest(&chosen.sha1, &((Sha1 *)self)->stream, digest);
    return PyBytes_FromStringAndSize((const char *)digest, sizeof digest);
}

PyObject *call_update_many(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *states, *data;
    if (!PyArg_ParseTuple(arguments, "OO:update_many", &states, &data)) return NULL;
    /* Tuples of our own: what we were given may change while the GIL is free. */
    states = PySequence_Tuple(states);
    data = states ? PySequence_Tuple(data) : NULL;
    bool right = data != NULL;
    if (right && PyTuple_Size(states) != PyTuple_Size(data)) {
        PyErr_Format(PyExc_ValueError, "%zd streams and %zd buffers; expected as many", PyTuple_Size(states),
                     PyTuple_Size(data));
        right = false;
    }
    for (Py_ssize_t at = 0; right && at < PyTuple_Size(states);) {
        struct batch batch = {.count = 0};
        for (; right && at < PyTuple_Size(states) && batch.count < MOST_LANES; at++)
            right = add(&batch, PyTuple_GetItem(states, at), PyTuple_GetItem(data, at));
        run(&batch, right);
    }
    Py_XDECREF(states);
    Py_XDECREF(data);
    if (!right) return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"update", sha1_update, METH_O, "Take more bytes; the GIL is free while they are hashed."},
    {"digest", sha1_digest, METH_NOARGS, "20 bytes, of what came so far."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot SLOTS[] = {
    {Py_tp_new, sha1_new},
    {Py_tp_dealloc, sha1_free},
    {Py_tp_methods, METHODS},
    {Py_tp_doc, "SHA-1 of a stream of bytes."},
    {0, NULL},
};

static PyType_Spec SPEC = {
    .name = "s3torrent.hashing._kernel.Sha1",
    .basicsize = sizeof(Sha1),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = SLOTS,
};

int add_sha1_type(PyObject *module)
{
    if (!type) type = (PyTypeObject *)PyType_FromSpec(&SPEC);
    return type ? PyModule_AddType(module, type) : -1;
}
