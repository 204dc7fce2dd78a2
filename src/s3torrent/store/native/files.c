/* The Python module s3torrent.store._files: what is asked of many files, in one call.
 *
 * Whatever is out of the ordinary ends a call early, and is left to Python to do again and to name. */
#define _POSIX_C_SOURCE 200809L
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __APPLE__
#define MODIFIED(status) ((status).st_mtimespec)
#else
#define MODIFIED(status) ((status).st_mtim)
#endif

enum { SIGNALS_EVERY = 1024 };

/* One file's part of the buffer, and the file as it was pinned. */
struct part {
    PyObject *path; /* bytes, ours */
    long long size, modified_ns;
    unsigned long long inode;
    long long start;
    Py_ssize_t place, length;
};

/* Nanoseconds in 64 bits reach from 1678 to 2262. */
static bool in_our_time(const struct stat *status)
{
    long long second = (long long)MODIFIED(*status).tv_sec;
    return second > -9000000000 && second < 9000000000;
}

static long long modified_ns(const struct stat *status)
{
    return (long long)MODIFIED(*status).tv_sec * 1000000000 + MODIFIED(*status).tv_nsec;
}

static bool same(const struct part *part, const struct stat *status)
{
    return S_ISREG(status->st_mode) && in_our_time(status) && status->st_size == part->size && modified_ns(status) == part->modified_ns
           && status->st_ino == part->inode;
}

/* Without the interpreter. A pipe in the file's place must not hang us. */
static bool read_part(const struct part *part, char *into)
{
    const char *path = PyBytes_AsString(part->path);
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return false;
    bool good = !fstat(file, &status) && same(part, &status);
    for (Py_ssize_t got = 0; good && got < part->length;) {
        ssize_t more = pread(file, into + part->place + got, (size_t)(part->length - got), part->start + got);
        good = more > 0;
        got += more;
    }
    close(file);
    return good && !stat(path, &status) && same(part, &status);
}

/* -1 with an error set where the attribute is missing or no such number. */
static int number(PyObject *object, const char *name, long long *found)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    if (!value) return -1;
    *found = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return *found == -1 && PyErr_Occurred() ? -1 : 0;
}

/* -1 with an error set; then nothing in it is ours. */
static int pinned(PyObject *version, struct part *part)
{
    PyObject *inode = PyObject_GetAttrString(version, "inode");
    if (!inode) return -1;
    part->inode = PyLong_AsUnsignedLongLong(inode);
    Py_DECREF(inode);
    if (PyErr_Occurred()) return -1;
    if (number(version, "size", &part->size) || number(version, "modified_ns", &part->modified_ns)) return -1;
    PyObject *path = PyObject_GetAttrString(version, "path");
    if (!path) return -1;
    part->path = PyUnicode_EncodeFSDefault(path);
    Py_DECREF(path);
    char *text;
    if (part->path && PyBytes_AsStringAndSize(part->path, &text, NULL)) Py_CLEAR(part->path); /* a NUL in it */
    return part->path ? 0 : -1;
}

/* How many of the list could be taken; the first that could not is no error here. -1: an error. */
static Py_ssize_t take(PyObject *list, struct part *parts, Py_ssize_t count, Py_ssize_t room)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyList_GetItem(list, i), *version;
        struct part *part = &parts[i];
        if (!PyTuple_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "a part that is no tuple");
            return -1;
        }
        if (!PyArg_ParseTuple(item, "OLnn", &version, &part->start, &part->place, &part->length)) return -1;
        if (part->start < 0 || part->place < 0 || part->length < 0 || part->place > room - part->length) {
            PyErr_SetString(PyExc_ValueError, "a part outside the buffer");
            return -1;
        }
        if (pinned(version, part)) {
            PyErr_Clear();
            return i;
        }
    }
    return count;
}

static PyObject *read_parts(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *list;
    Py_buffer into;
    if (!PyArg_ParseTuple(arguments, "O!w*:read", &PyList_Type, &list, &into)) return NULL;
    Py_ssize_t count = PyList_Size(list), done = 0;
    struct part *parts = PyMem_Calloc((size_t)count + 1, sizeof *parts);
    Py_ssize_t taken = parts ? take(list, parts, count, into.len) : -1;
    if (!parts) PyErr_NoMemory();
    if (taken > 0) {
        Py_BEGIN_ALLOW_THREADS
        while (done < taken && read_part(&parts[done], into.buf)) done++;
        Py_END_ALLOW_THREADS
    }
    for (Py_ssize_t i = 0; parts && i < count; i++) Py_XDECREF(parts[i].path);
    PyMem_Free(parts);
    PyBuffer_Release(&into);
    return taken < 0 ? NULL : PyLong_FromSsize_t(done);
}

static PyObject *told(const struct stat *status)
{
    return Py_BuildValue("(kLLKK)", (unsigned long)status->st_mode, (long long)status->st_size, modified_ns(status),
                         (unsigned long long)status->st_ino, (unsigned long long)status->st_dev);
}

/* 1: told; 0: not to be had; -1: an error. */
static int look(int folder, PyObject *name, PyObject *found)
{
    struct stat status;
    char *text;
    PyObject *raw = PyUnicode_EncodeFSDefault(name);
    bool had = raw && !PyBytes_AsStringAndSize(raw, &text, NULL) && !fstatat(folder, text, &status, 0)
               && in_our_time(&status);
    Py_XDECREF(raw);
    PyErr_Clear();
    if (!had) return 0;
    PyObject *one = told(&status);
    int added = one ? PyList_Append(found, one) : -1;
    Py_XDECREF(one);
    return added ? -1 : 1;
}

static PyObject *stats(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *place, *names;
    if (!PyArg_ParseTuple(arguments, "O&O!:stats", PyUnicode_FSConverter, &place, &PyList_Type, &names)) return NULL;
    PyObject *found = PyList_New(0);
    int folder = found ? open(PyBytes_AsString(place), O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK) : -1;
    Py_DECREF(place);
    for (Py_ssize_t i = 0; found && folder >= 0 && i < PyList_Size(names); i++) {
        int got = look(folder, PyList_GetItem(names, i), found);
        if (got < 0 || (i % SIGNALS_EVERY == 0 && PyErr_CheckSignals())) Py_CLEAR(found);
        if (got <= 0) break;
    }
    if (folder >= 0) close(folder);
    return found;
}

static PyMethodDef METHODS[] = {
    {"read", read_parts, METH_VARARGS,
     "read([(version, start, place, length), ...], into): the number of parts read before the first that is odd."},
    {"stats", stats, METH_VARARGS,
     "stats(folder, names): (mode, size, modified_ns, inode, device) of each before the first that is odd."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_files",
    .m_doc = "Many files in one call.",
    .m_size = 0,
    .m_methods = METHODS,
};

PyMODINIT_FUNC PyInit__files(void)
{
    return PyModule_Create(&MODULE);
}
