/* mem_file.c - the engine's calls on open files. */
#include "base/limits.h"
#include "base/mem.h"
#include "sim/mem_fs_process.h"

typedef struct mem_file {
    cs_file_t file;
    cs__mem_fs_t *process; /* borrowed; outlives its files */
    cs__inode_t *inode;    /* a reference */
    bool writable;
    size_t path_len;
    uint8_t path[]; /* that it was opened by, for the gate */
} mem_file_t;

static mem_file_t *file_of(cs_file_t *file)
{
    return (mem_file_t *)file;
}

cs_file_t *cs__mem_file_new(cs__mem_fs_t *self, cs__inode_t *inode, cs_slice_t path,
                            bool writable)
{
    mem_file_t *file = cs_malloc(sizeof *file + path.len);
    *file = (mem_file_t){.file.ops = self->fs.ops,
                         .process = self,
                         .inode = inode,
                         .writable = writable,
                         .path_len = path.len};
    if (path.len > 0) memcpy(file->path, path.data, path.len);
    cs__mem_opened(inode, writable);
    return &file->file;
}

static cs_err_t ask(mem_file_t *self, cs_mem_call_t *call)
{
    call->path = cs_slice(self->path, self->path_len);
    return cs__mem_ask(self->process, call);
}

cs_err_t cs__mem_file_read(cs_file_t *file, uint64_t offset, void *data, size_t len,
                           size_t *ret_len)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_READ, .offset = offset, .len = len};
    cs_err_t err = ask(self, &call);
    if (err == CS_OK) *ret_len = cs__mem_read(self->inode, offset, data, len);
    return err;
}

cs_err_t cs__mem_file_write(cs_file_t *file, uint64_t offset, const void *data, size_t len)
{
    mem_file_t *self = file_of(file);
    cs_mem_volume_t *volume = self->process->volume;
    bool alive = self->process->dead == CS_OK;
    cs_mem_call_t call = {.kind = CS_MEM_WRITE, .offset = offset, .len = len};
    cs_err_t err = ask(self, &call);
    if (len > 0 && !self->writable) return err == CS_OK ? CS_ERR_IO : err; /* EBADF */
    if (err == CS_OK) return cs__mem_write(volume, self->inode, offset, data, len);
    if (alive && call.torn > 0 && self->process->boot == volume->boot) {
        size_t first = call.torn < len ? call.torn : len;
        (void)!cs__mem_write(volume, self->inode, offset, data, first); /* it fails anyway */
    }
    return err;
}

cs_err_t cs__mem_file_truncate(cs_file_t *file, uint64_t size)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_TRUNCATE, .offset = size};
    cs_err_t err = ask(self, &call);
    if (err != CS_OK) return err;
    if (!self->writable) return CS_ERR_NOSPACE; /* EINVAL, as fs_linux has it */
    return cs__mem_truncate(self->process->volume, self->inode, size);
}

/* What was never written behind the last byte is the only hole. */
cs_err_t cs__mem_file_next_data(cs_file_t *file, uint64_t offset, uint64_t *ret)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_NEXT_DATA, .offset = offset};
    cs_err_t err = ask(self, &call);
    if (err == CS_OK) *ret = offset < self->inode->filled ? offset : UINT64_MAX;
    return err;
}

cs_err_t cs__mem_file_write_zeros(cs_file_t *file, uint64_t offset, uint64_t len)
{
    static const uint8_t zeros[CS_HOLE_MIN];
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_WRITE_ZEROS, .offset = offset, .len = (size_t)len};
    cs_err_t err = ask(self, &call);
    if (!self->writable) return err == CS_OK ? CS_ERR_IO : err;
    uint64_t filled = self->inode->filled;
    uint64_t end = filled - offset < len ? filled : offset + len;
    for (uint64_t at = offset; err == CS_OK && at < filled && at < end;) {
        size_t part = end - at < sizeof zeros ? (size_t)(end - at) : sizeof zeros;
        err = cs__mem_write(self->process->volume, self->inode, at, zeros, part);
        at += part;
    }
    return err;
}

/* One that can share copies at this moment; to its user it is the same. */
cs_err_t cs__mem_file_share(cs_file_t *file, uint64_t offset, cs_file_t *from,
                            uint64_t from_offset, uint64_t len)
{
    mem_file_t *self = file_of(file);
    const cs__inode_t *source = file_of(from)->inode;
    cs_mem_call_t call = {.kind = CS_MEM_SHARE, .offset = offset, .len = (size_t)len};
    cs_err_t err = ask(self, &call);
    if (err != CS_OK) return err;
    if (!self->writable || !self->process->fs.features.shares) return CS_ERR_UNSUPPORTED;
    if (from_offset > source->size || source->size - from_offset < len) {
        return CS_ERR_UNSUPPORTED;
    }
    uint8_t *bytes = cs_malloc((size_t)len);
    (void)cs__mem_read(source, from_offset, bytes, (size_t)len);
    err = cs__mem_write(self->process->volume, self->inode, offset, bytes, (size_t)len);
    cs_free(bytes);
    return err;
}

cs_err_t cs__mem_file_stat(cs_file_t *file, cs_stat_t *ret)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_FSTAT};
    cs_err_t err = ask(self, &call);
    if (err == CS_OK) cs__mem_stat(self->process->volume, self->inode, ret);
    return err;
}

void cs__mem_file_settle(cs_file_t *file)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_SETTLE};
    if (ask(self, &call) == CS_OK) self->inode->poked = 0;
}

/* No call of the kernel's that could matter: nobody is asked. */
void cs__mem_file_forget(cs_file_t *file, uint64_t offset, uint64_t len)
{
    (void)file;
    (void)offset;
    (void)len;
}

bool cs__mem_file_in_use(cs_file_t *file)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_IN_USE};
    return ask(self, &call) == CS_OK && self->inode->writers > 0;
}

cs_err_t cs__mem_file_set_meta(cs_file_t *file, uint16_t mode, int64_t mtime_ns)
{
    mem_file_t *self = file_of(file);
    cs_mem_call_t call = {.kind = CS_MEM_SET_META};
    cs_err_t err = ask(self, &call);
    if (err == CS_OK) cs__mem_set_meta(self->process->volume, self->inode, &mode, &mtime_ns);
    return err;
}

void cs__mem_file_close(cs_file_t **file_p)
{
    mem_file_t *self = *file_p == NULL ? NULL : file_of(*file_p);
    *file_p = NULL;
    if (self == NULL) return;
    cs__mem_closed(self->process->volume, &self->inode, self->writable, self->process->boot);
    cs_free(self);
}
