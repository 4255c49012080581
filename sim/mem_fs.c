/* mem_fs.c - the engine's calls on paths: the gate first, then the volume. */
#include "sim/mem_fs_process.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"

const char *cs_mem_call_name(cs_mem_call_kind_t kind)
{
    static const char *const names[CS_MEM_CALL_COUNT] = {
        "stat",     "list",      "open_read",   "create", "open_write", "read",   "write",
        "truncate", "next_data", "write_zeros", "share",  "fstat",      "settle", "in_use",
        "set_meta", "readlink",  "symlink",     "mkdir",  "rmdir",      "unlink", "link",
        "rename",   "chmod",     "sync",        "space",  "refresh"};
    CS_ASSERT(kind < CS_MEM_CALL_COUNT);
    return names[kind];
}

cs_err_t cs__mem_ask(cs__mem_fs_t *self, cs_mem_call_t *call)
{
    if (self->dead != CS_OK) return self->dead;
    if (self->boot != self->volume->boot) return CS_ERR_IO;
    if (self->gate.ask != NULL) {
        cs_err_t err = self->gate.ask(self->gate.arg, call);
        if (call->dead) {
            CS_ASSERT(err != CS_OK);
            self->dead = err;
        }
        if (err != CS_OK) return err;
    }
    return self->boot == self->volume->boot ? CS_OK : CS_ERR_IO; /* the power was cut in it */
}

static cs__mem_fs_t *fs_of(cs_fs_t *fs)
{
    return (cs__mem_fs_t *)fs;
}

static cs_err_t ask_path(cs__mem_fs_t *self, cs_mem_call_kind_t kind, cs_slice_t path)
{
    cs_mem_call_t call = {.kind = kind, .path = path};
    return cs__mem_ask(self, &call);
}

static cs_err_t mem_stat(cs_fs_t *fs, cs_slice_t path, cs_stat_t *ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs__inode_t *inode = NULL;
    cs_err_t err = ask_path(self, CS_MEM_STAT, path);
    if (err == CS_OK) err = cs__mem_look(self->volume, self->root, path, &inode);
    if (err == CS_OK) cs__mem_stat(self->volume, inode, ret);
    return err;
}

static cs_err_t mem_list(cs_fs_t *fs, cs_slice_t dir, cs_listing_t *ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_LIST, dir);
    return err == CS_OK ? cs__mem_list(self->volume, self->root, dir, ret) : err;
}

static cs_err_t mem_open_read(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs__inode_t *inode = NULL;
    cs_err_t err = ask_path(self, CS_MEM_OPEN_READ, path);
    if (err == CS_OK) err = cs__mem_open(self->volume, self->root, path, false, &inode);
    if (err == CS_OK) *ret = cs__mem_file_new(self, inode, path, false);
    return err;
}

static cs_err_t mem_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs__inode_t *inode = NULL;
    cs_err_t err = ask_path(self, CS_MEM_CREATE, path);
    if (err == CS_OK) err = cs__mem_create(self->volume, self->root, path, 0600, &inode);
    if (err == CS_OK) *ret = cs__mem_file_new(self, inode, path, true);
    return err;
}

static cs_err_t mem_open_write(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs__inode_t *inode = NULL;
    cs_err_t err = ask_path(self, CS_MEM_OPEN_WRITE, path);
    if (err == CS_OK) err = cs__mem_open(self->volume, self->root, path, true, &inode);
    if (err == CS_OK) *ret = cs__mem_file_new(self, inode, path, true);
    return err;
}

static cs_err_t mem_readlink(cs_fs_t *fs, cs_slice_t path, cs_buf_t *ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_READLINK, path);
    return err == CS_OK ? cs__mem_readlink(self->volume, self->root, path, ret) : err;
}

static cs_err_t mem_symlink(cs_fs_t *fs, cs_slice_t target, cs_slice_t path)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_mem_call_t call = {.kind = CS_MEM_SYMLINK, .path = path, .to = target};
    cs_err_t err = cs__mem_ask(self, &call);
    return err == CS_OK ? cs__mem_symlink(self->volume, self->root, target, path) : err;
}

/* What an open of fs_linux finds out by trying; without .crdtsync/tmp it cannot. */
static void probe(cs__mem_fs_t *self)
{
    const cs_mem_config_t *config = &self->volume->config;
    cs_slice_t tmp = cs_slice_text(CS_PRIVATE_DIR "/tmp");
    cs__inode_t *dir = NULL;
    cs_fs_features_t features = {.mtime_step_ns = 2000000000};
    if (cs__mem_resolve(self->volume, self->root, tmp, true, &dir) == CS_OK) {
        features = (cs_fs_features_t){.exchange = !config->no_exchange,
                                      .noreplace = !config->no_noreplace,
                                      .modes = !config->no_modes,
                                      .btime = !config->no_btime,
                                      .symlinks = !config->no_symlinks,
                                      .links = !config->no_links,
                                      .shares = !config->no_shares,
                                      .mapped_times = true,
                                      .mtime_step_ns = config->granularity_ns};
    }
    self->fs.features = features;
}

static cs_err_t mem_mkdir(cs_fs_t *fs, cs_slice_t path)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_MKDIR, path);
    if (err == CS_OK) err = cs__mem_mkdir(self->volume, self->root, path);
    if (err == CS_OK && cs_slice_eq(path, cs_slice_text(CS_PRIVATE_DIR "/tmp"))) probe(self);
    return err;
}

static cs_err_t mem_rmdir(cs_fs_t *fs, cs_slice_t path)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_RMDIR, path);
    return err == CS_OK ? cs__mem_rmdir(self->volume, self->root, path) : err;
}

static cs_err_t mem_unlink(cs_fs_t *fs, cs_slice_t path)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_UNLINK, path);
    return err == CS_OK ? cs__mem_unlink(self->volume, self->root, path) : err;
}

static cs_err_t mem_link(cs_fs_t *fs, cs_slice_t from, cs_slice_t to)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_mem_call_t call = {.kind = CS_MEM_LINK, .path = from, .to = to};
    cs_err_t err = cs__mem_ask(self, &call);
    return err == CS_OK ? cs__mem_link(self->volume, self->root, from, to) : err;
}

/* As fs_linux: link and unlink, with a moment of two names in between. */
static cs_err_t rename_by_link(cs__mem_fs_t *self, cs_slice_t from, cs_slice_t to)
{
    cs__mem_place_t source;
    cs_err_t err = cs__mem_link(self->volume, self->root, from, to);
    if (err == CS_OK) err = cs__mem_locate(self->volume, self->root, from, &source);
    if (err != CS_OK) return err;
    cs__inode_t *dir = cs__mem_ref(source.dir); /* is held, wherever it goes meanwhile */
    err = ask_path(self, CS_MEM_UNLINK, from);
    if (err == CS_OK) {
        source.child = cs__mem_child(dir, source.name);
        err = cs__mem_unlink_at(self->volume, source);
    }
    cs__mem_unref(&dir);
    return err;
}

static cs_err_t mem_rename(cs_fs_t *fs, cs_slice_t from, cs_slice_t to, cs_rename_mode_t mode)
{
    cs__mem_fs_t *self = fs_of(fs);
    if (mode == CS_RENAME_EXCHANGE && !fs->features.exchange) return CS_ERR_UNSUPPORTED;
    cs_mem_call_t call = {.kind = CS_MEM_RENAME, .path = from, .to = to, .mode = mode};
    cs_err_t err = cs__mem_ask(self, &call);
    if (err != CS_OK) return err;
    if (mode == CS_RENAME_NOREPLACE && !fs->features.noreplace) {
        return rename_by_link(self, from, to);
    }
    return cs__mem_rename(self->volume, self->root, from, to, mode);
}

static cs_err_t mem_chmod(cs_fs_t *fs, cs_slice_t path, const cs_print_t *expect, uint16_t mode,
                          cs_stat_t *ret)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs__inode_t *inode = NULL;
    cs_err_t err = ask_path(self, CS_MEM_CHMOD, path);
    if (err == CS_OK) err = cs__mem_resolve(self->volume, self->root, path, false, &inode);
    if (err != CS_OK) return err;
    cs_stat_t st;
    cs__mem_stat(self->volume, inode, &st);
    if (st.type != CS_NODE_FILE || !cs_print_eq_but_ctime(&st.print, expect)) {
        return CS_ERR_CHANGED;
    }
    cs__mem_set_meta(self->volume, inode, &mode, NULL);
    cs__mem_stat(self->volume, inode, ret);
    return CS_OK;
}

static cs_err_t mem_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_SYNC, cs_slice(NULL, 0));
    if (err != CS_OK || self->root->bare) return err; /* that is another file system */
    bool all = count == 0;
    for (size_t i = 0; i < count && !all; i++) {
        cs__inode_t *inode = NULL;
        all = cs__mem_look(self->volume, self->root, paths[i], &inode) != CS_OK;
        if (!all) cs__mem_fsync(self->volume, inode);
    }
    if (all) cs_mem_volume_flush(self->volume);
    return CS_OK;
}

static cs_err_t mem_space(cs_fs_t *fs, uint64_t *ret_free, uint64_t *ret_total)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_SPACE, cs_slice(NULL, 0));
    if (err != CS_OK) return err;
    uint64_t total = self->volume->config.capacity, used = self->volume->used_bytes;
    *ret_total = total;
    *ret_free = used < total ? total - used : 0;
    return CS_OK;
}

static cs_err_t mem_refresh(cs_fs_t *fs)
{
    cs__mem_fs_t *self = fs_of(fs);
    cs_err_t err = ask_path(self, CS_MEM_REFRESH, cs_slice(NULL, 0));
    if (err != CS_OK) return err;
    cs__inode_t *root = cs__mem_root(self->volume);
    if (root == NULL) return CS_ERR_NOT_FOUND;
    cs__mem_ref(root);
    cs__mem_unref(&self->root);
    self->root = root;
    return CS_OK;
}

/* Each call finds its own way. */
static void mem_hold(cs_fs_t *fs, bool on)
{
    (void)fs;
    (void)on;
}

static void mem_close_fs(cs_fs_t **fs_p)
{
    if (*fs_p == NULL) return;
    cs__mem_fs_t *self = fs_of(*fs_p);
    *fs_p = NULL;
    cs__mem_unref(&self->root);
    cs_free(self);
}

static const cs_fs_ops_t mem_ops = {
    .stat = mem_stat,
    .list = mem_list,
    .open_read = mem_open_read,
    .create = mem_create,
    .open_write = mem_open_write,
    .read = cs__mem_file_read,
    .write = cs__mem_file_write,
    .truncate = cs__mem_file_truncate,
    .next_data = cs__mem_file_next_data,
    .write_zeros = cs__mem_file_write_zeros,
    .share = cs__mem_file_share,
    .fstat = cs__mem_file_stat,
    .settle = cs__mem_file_settle,
    .forget = cs__mem_file_forget,
    .in_use = cs__mem_file_in_use,
    .set_meta = cs__mem_file_set_meta,
    .close = cs__mem_file_close,
    .readlink = mem_readlink,
    .symlink = mem_symlink,
    .mkdir = mem_mkdir,
    .rmdir = mem_rmdir,
    .unlink = mem_unlink,
    .link = mem_link,
    .rename = mem_rename,
    .chmod = mem_chmod,
    .sync = mem_sync,
    .space = mem_space,
    .refresh = mem_refresh,
    .hold = mem_hold,
    .close_fs = mem_close_fs,
};

cs_err_t cs_mem_fs_open(cs_mem_volume_t *volume, const cs_mem_gate_t *gate, cs_fs_t **ret)
{
    cs__inode_t *root = cs__mem_root(volume);
    if (root == NULL) return CS_ERR_NOT_FOUND;
    cs__mem_fs_t *self = cs_calloc(1, sizeof *self);
    self->fs.ops = &mem_ops;
    self->fs.umask = volume->config.umask;
    self->volume = volume;
    if (gate != NULL) self->gate = *gate;
    self->root = cs__mem_ref(root);
    self->boot = volume->boot;
    probe(self);
    *ret = &self->fs;
    return CS_OK;
}
