/* marks_test.c - marks of replicas: who can make them, what they cover, how they are kept. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "node/marks.h"
#include "sim/mem_store.h"
#include "sim/scheme.h"
#include "support/entries.h"

#define FOLDER 7u

static const uint8_t anna[CS_SEED_BYTES] = {1}, ben[CS_SEED_BYTES] = {2};
static cs_keys_t keys;
static cs_marks_t *annas, *bens;

static void setup(void)
{
    test_keys(&keys);
    annas = cs_marks_new(&keys, NULL, anna);
    bens = cs_marks_new(&keys, NULL, ben);
    cs_marks_become(annas, 5);
}

static void teardown(void)
{
    cs_marks_destroy(&annas);
    cs_marks_destroy(&bens);
}

TestSuite(marks, .init = setup, .fini = teardown);

/* Her mark, of numbers up to ctr. */
static cs_msg_mark_t anna_signs(uint64_t ctr)
{
    size_t count;
    cs_marks_vouch(annas, ctr);
    const cs_signed_mark_t *all = cs_marks_all(annas, &count);
    cr_assert_eq(count, 1);
    return cs_marks_msg(all);
}

static bool ben_believes(uint64_t rid, uint64_t ctr)
{
    cs_vv_t vv = {0};
    cr_assert_eq(cs_vv_raise(&vv, (cs_dot_t){rid, ctr}), CS_OK);
    bool ret = cs_marks_cover(bens, &vv);
    cs_vv_fini(&vv);
    return ret;
}

Test(marks, an_id_is_of_a_key_a_number_and_a_folder)
{
    uint64_t rid = cs_marks_rid(annas, 5);
    cr_assert_neq(rid, 0);
    cr_assert_eq(rid, cs_marks_rid(annas, 5));
    cr_assert_neq(rid, cs_marks_rid(annas, 6));
    cr_assert_neq(rid, cs_marks_rid(bens, 5));
    cs_keys_t other = keys;
    other.item[0] ^= 1;
    cs_marks_t *elsewhere = cs_marks_new(&other, NULL, anna);
    cr_assert_neq(rid, cs_marks_rid(elsewhere, 5));
    cs_marks_destroy(&elsewhere);
}

Test(marks, cover_what_was_signed_and_not_one_more)
{
    uint64_t rid, version = cs_marks_version(bens);
    cs_msg_mark_t mark = anna_signs(300);
    cr_assert_not(ben_believes(cs_marks_rid(annas, 5), 1), "she did not tell him yet");
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    cr_assert_eq(rid, cs_marks_rid(annas, 5));
    cr_assert(cs_marks_version(bens) > version);
    cr_assert(ben_believes(rid, 300));
    cr_assert_not(ben_believes(rid, 301));
    cr_assert_not(ben_believes(rid, UINT64_MAX));
    cr_assert_not(ben_believes(rid + 1, 1));
    mark = anna_signs(301);
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    cr_assert(ben_believes(rid, 301));
}

Test(marks, nobody_else_can_make_one)
{
    uint64_t rid;
    cs_msg_mark_t mark = anna_signs(300);
    uint8_t signer[CS_KEY_BYTES], signature[CS_SIGNATURE_BYTES];
    memcpy(signer, mark.signer, sizeof signer);
    memcpy(signature, mark.signature, sizeof signature);
    const cs_msg_mark_t forged[] = {
        {.nonce = 5, .ctr = 301, .signer = signer, .signature = signature},
        {.nonce = 6, .ctr = 300, .signer = signer, .signature = signature},
    };
    for (size_t i = 0; i < CS_COUNT_OF(forged); i++) {
        cr_assert_eq(cs_marks_learn(bens, &forged[i], &rid), CS_ERR_UNSIGNED);
        cr_assert_not(ben_believes(rid, 1));
    }
    /* With a key of his own it is an id of his own. */
    cs_ed25519.signer(ben, signer);
    const cs_msg_mark_t taken = {
        .nonce = 5, .ctr = 300, .signer = signer, .signature = signature};
    cr_assert_eq(cs_marks_learn(bens, &taken, &rid), CS_ERR_UNSIGNED);
    cr_assert_neq(rid, cs_marks_rid(annas, 5));
    for (size_t bit = 0; bit < 8 * sizeof signature; bit += 37) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const cs_msg_mark_t bent = {
            .nonce = 5, .ctr = 300, .signer = mark.signer, .signature = signature};
        cr_assert_eq(cs_marks_learn(bens, &bent, &rid), CS_ERR_UNSIGNED);
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    size_t count;
    (void)cs_marks_all(bens, &count);
    cr_assert_eq(count, 0, "what is not signed leaves nothing behind");
}

Test(marks, one_of_another_folder_is_none)
{
    uint64_t rid;
    cs_msg_mark_t mark = anna_signs(300);
    cs_keys_t other = keys;
    other.item[0] ^= 1;
    cs_marks_t *elsewhere = cs_marks_new(&other, NULL, ben);
    cr_assert_eq(cs_marks_learn(elsewhere, &mark, &rid), CS_ERR_UNSIGNED);
    cs_marks_destroy(&elsewhere);
}

/* A mark that is not needed is not looked at: it may be anything. */
Test(marks, a_lower_one_changes_nothing)
{
    static const uint8_t nothing[CS_SIGNATURE_BYTES];
    uint64_t rid;
    cs_msg_mark_t mark = anna_signs(300);
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    uint64_t version = cs_marks_version(bens);
    mark.ctr = 299;
    mark.signature = nothing;
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    cr_assert(ben_believes(rid, 300));
    cr_assert_eq(cs_marks_version(bens), version);
}

static void put(cs_entry_t *entry, cs_dotstore_t store, cs_dot_t dot)
{
    cs_lval_t l = store == CS_L ? test_lval(dot, dot, "a") : (cs_lval_t){0};
    cs_kval_t k = store == CS_K ? test_kval(dot, dot, "a") : (cs_kval_t){0};
    cs_aval_t a = test_aval(dot, dot, 0644);
    cr_assert_eq(store == CS_L   ? cs_entry_add_l(entry, &l)
                 : store == CS_K ? cs_entry_add_k(entry, &k)
                                 : cs_entry_add_a(entry, &a),
                 CS_OK);
}

/* Context and dots of an entry, each at the mark and one above. */
Test(marks, every_number_of_an_entry_counts)
{
    uint64_t rid;
    cs_msg_mark_t mark = anna_signs(9);
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    for (uint64_t above = 0; above < 2; above++) {
        for (unsigned part = 0; part < 4; part++) {
            cs_dot_t dot = {rid, 9 + above};
            cs_entry_t entry;
            cs_entry_init(&entry, &(cs_bucket_t){0});
            if (part == 0) cr_assert_eq(cs_vv_raise(&entry.ctx, dot), CS_OK);
            if (part > 0) put(&entry, (cs_dotstore_t)(part - 1), dot);
            cr_assert_eq(cs_marks_cover_entry(bens, &entry), above == 0, "part %u", part);
            cs_entry_fini(&entry);
        }
    }
}

/* --- rows */

static cs_mem_disk_t *disk;
static cs_store_t *store;

static void write_rows(cs_marks_t *marks)
{
    cs_batch_t batch = {0};
    cs_marks_save(marks, FOLDER, &batch);
    cr_assert_eq(cs_store_write(store, &batch, true), CS_OK);
    cs_batch_clear(&batch);
    cs_marks_save(marks, FOLDER, &batch);
    cr_assert_eq(batch.count, 0, "nothing changed since");
    cs_batch_fini(&batch);
}

static void open_store(void)
{
    disk = cs_mem_disk_new();
    cr_assert_eq(cs_mem_store_open(disk, &store), CS_OK);
}

static void close_store(void)
{
    cs_store_close(&store);
    cs_mem_disk_destroy(&disk);
}

Test(marks, are_there_again_after_a_start)
{
    uint64_t rid;
    open_store();
    cs_msg_mark_t mark = anna_signs(300);
    cs_marks_become(bens, 8);
    cs_marks_vouch(bens, 12);
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    write_rows(bens);
    uint64_t own = cs_marks_rid(bens, 8);
    cs_marks_destroy(&bens);
    bens = cs_marks_new(&keys, NULL, ben);
    cs_marks_load(bens, store, FOLDER + 1);
    cr_assert_not(cs_marks_resume(bens, own), "those of another folder");
    cs_marks_load(bens, store, FOLDER);
    cr_assert_not(cs_marks_resume(bens, rid), "it is hers");
    cr_assert_not(cs_marks_resume(bens, 4711));
    cr_assert(cs_marks_resume(bens, own));
    cr_assert(ben_believes(own, 12));
    cr_assert_not(ben_believes(own, 13));
    cr_assert(ben_believes(rid, 300));
    cs_marks_vouch(bens, 13);
    cr_assert(ben_believes(own, 13));
    close_store();
}

Test(marks, a_row_that_rotted_is_as_if_it_were_not_there)
{
    open_store();
    (void)anna_signs(300);
    write_rows(annas);
    cs_iter_t *iter = cs_store_iter(store, NULL);
    cs_iter_seek(iter, cs_slice_text(""));
    cr_assert(cs_iter_valid(iter));
    cs_buf_t key = {0}, value = {0};
    cs_buf_put_slice(&key, cs_iter_key(iter));
    cs_buf_put_slice(&value, cs_iter_value(iter));
    cs_iter_destroy(&iter);
    value.data[9] ^= 1;
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(&value));
    cr_assert_eq(cs_store_write(store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
    cs_marks_t *again = cs_marks_new(&keys, NULL, anna);
    cs_marks_load(again, store, FOLDER);
    cr_assert_not(cs_marks_resume(again, cs_marks_rid(again, 5)));
    cs_marks_destroy(&again);
    close_store();
}

Test(marks, of_as_many_ids_as_a_vector_may_have)
{
    cs_marks_t *many = cs_marks_new(&keys, &cs_sim_scheme, anna);
    cs_marks_t *full = cs_marks_new(&keys, &cs_sim_scheme, ben);
    uint64_t rid;
    for (uint64_t number = 1; number <= CS_REPLICAS_MAX + 1; number++) {
        cs_marks_become(many, number);
        cs_marks_vouch(many, 1);
        size_t count;
        const cs_signed_mark_t *all = cs_marks_all(many, &count);
        if (number > CS_REPLICAS_MAX) break;
        cr_assert_eq(count, number);
        for (size_t i = 0; i < count; i++) {
            if (all[i].nonce != number) continue;
            cs_msg_mark_t mark = cs_marks_msg(&all[i]);
            cr_assert_eq(cs_marks_learn(full, &mark, &rid), CS_OK);
        }
    }
    cs_marks_t *one = cs_marks_new(&keys, &cs_sim_scheme, anna);
    cs_marks_become(one, CS_REPLICAS_MAX + 1);
    cs_marks_vouch(one, 1);
    size_t count;
    cs_msg_mark_t mark = cs_marks_msg(cs_marks_all(one, &count));
    cr_assert_eq(cs_marks_learn(full, &mark, &rid), CS_ERR_LIMIT);
    (void)cs_marks_all(full, &count);
    cr_assert_eq(count, CS_REPLICAS_MAX);
    cs_marks_destroy(&one);
    cs_marks_destroy(&many);
    cs_marks_destroy(&full);
}
