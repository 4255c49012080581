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

/* With a replica that counted up to ctr, and holds numbers of `held`. */
static void write_rows(cs_marks_t *marks, uint64_t held, uint64_t ctr)
{
    cs_batch_t batch = {0};
    cs_vv_t seen = {0}, heard = {0};
    if (held != 0) cr_assert_eq(cs_vv_raise(&heard, (cs_dot_t){held, 1}), CS_OK);
    cs_marks_hold(marks, &seen, &heard);
    cs_marks_save(marks, FOLDER, ctr, &batch);
    cr_assert_eq(cs_store_write(store, &batch, true), CS_OK);
    cs_batch_clear(&batch);
    cs_marks_save(marks, FOLDER, ctr, &batch);
    cr_assert_eq(batch.count, 0, "nothing changed since");
    cs_marks_hold(marks, NULL, NULL);
    cs_batch_fini(&batch);
    cs_vv_fini(&heard);
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

static void start_again(void)
{
    cs_marks_destroy(&bens);
    bens = cs_marks_new(&keys, NULL, ben);
    cr_assert_eq(cs_marks_load(bens, store, FOLDER), CS_OK);
}

Test(marks, are_there_again_after_a_start)
{
    uint64_t rid;
    open_store();
    cs_msg_mark_t mark = anna_signs(300);
    cs_marks_become(bens, 8);
    cs_marks_vouch(bens, 12);
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    write_rows(bens, rid, 12);
    uint64_t own = cs_marks_rid(bens, 8);
    cs_marks_t *other = cs_marks_new(&keys, NULL, ben);
    cr_assert_eq(cs_marks_load(other, store, FOLDER + 1), CS_OK);
    cr_assert_not(cs_marks_resume(other, own, 12), "those of another folder");
    cs_marks_destroy(&other);
    start_again();
    cr_assert_not(cs_marks_resume(bens, rid, 12), "it is hers");
    cr_assert_not(cs_marks_resume(bens, 4711, 12));
    cr_assert(cs_marks_resume(bens, own, 12));
    cr_assert(ben_believes(own, 12));
    cr_assert_not(ben_believes(own, 13));
    cr_assert(ben_believes(rid, 300));
    cs_marks_vouch(bens, 13);
    cr_assert(ben_believes(own, 13));
    close_store();
}

/* The row covers all that it counted; what is told does not, until it is given away. */
Test(marks, of_numbers_not_given_away_are_kept_and_not_told)
{
    open_store();
    cs_marks_become(bens, 8);
    cs_marks_vouch(bens, 5);
    uint64_t own = cs_marks_rid(bens, 8);
    write_rows(bens, 0, 12);
    cr_assert_not(ben_believes(own, 6));
    start_again();
    cr_assert(ben_believes(own, 12), "nothing that the database holds is without a mark");
    cr_assert(cs_marks_resume(bens, own, 5));
    cr_assert_not(ben_believes(own, 6));
    uint64_t rid;
    size_t count;
    const cs_signed_mark_t *told = cs_marks_all(bens, &count);
    cs_msg_mark_t mark = cs_marks_msg(told);
    cr_assert_eq(mark.ctr, 5);
    cr_assert_eq(cs_marks_learn(annas, &mark, &rid), CS_OK, "and is signed anew");
    start_again();
    cr_assert(cs_marks_resume(bens, own, 0));
    cr_assert_not(ben_believes(own, 1));
    close_store();
}

/* Rows are of what is needed: anybody may make marks. */
Test(marks, of_ids_without_numbers_are_not_kept)
{
    uint64_t rid;
    open_store();
    cs_msg_mark_t mark = anna_signs(300);
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    write_rows(bens, 0, 0);
    start_again();
    cr_assert_not(ben_believes(rid, 1));
    cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
    write_rows(bens, rid, 0);
    start_again();
    cr_assert(ben_believes(rid, 300));
    close_store();
}

Test(marks, a_row_that_rotted_is_as_if_it_were_not_there)
{
    open_store();
    (void)anna_signs(300);
    write_rows(annas, 0, 300);
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
    cr_assert_eq(cs_marks_load(again, store, FOLDER), CS_OK);
    cr_assert_not(cs_marks_resume(again, cs_marks_rid(again, 5), 300));
    cs_marks_destroy(&again);
    close_store();
}

Test(marks, the_better_one_of_an_id_replaces_all_of_the_other)
{
    /* What is kept must be one that others take. (Two keys with one id take 2^32 tries.) */
    uint64_t rid;
    cs_marks_t *third = cs_marks_new(&keys, NULL, (const uint8_t[CS_SEED_BYTES]){3});
    for (uint64_t ctr = 10; ctr < 13; ctr++) {
        cs_msg_mark_t mark = anna_signs(ctr);
        cr_assert_eq(cs_marks_learn(bens, &mark, &rid), CS_OK);
        size_t count;
        cs_msg_mark_t passed = cs_marks_msg(cs_marks_all(bens, &count));
        cr_assert_eq(cs_marks_learn(third, &passed, &rid), CS_OK);
    }
    cs_marks_destroy(&third);
}

/* A mark of its own of each of `count` numbers, from `first` on, is told to `to`. */
static void tell_many(cs_marks_t *to, uint64_t first, uint64_t count)
{
    cs_marks_t *teller = cs_marks_new(&keys, &cs_sim_scheme, anna);
    for (uint64_t number = first; number < first + count; number++) {
        uint64_t rid, own = cs_marks_rid(teller, number);
        cs_marks_become(teller, number);
        cs_marks_vouch(teller, 1);
        size_t known;
        const cs_signed_mark_t *all = cs_marks_all(teller, &known);
        for (size_t i = 0; i < known; i++) {
            if (all[i].rid != own) continue;
            cs_msg_mark_t mark = cs_marks_msg(&all[i]);
            cr_assert_eq(cs_marks_learn(to, &mark, &rid), CS_OK);
            cr_assert_eq(rid, own);
        }
    }
    cs_marks_destroy(&teller);
}

/* Who makes up ids by the thousand keeps nobody out. */
Test(marks, one_too_many_takes_the_place_of_one_without_numbers)
{
    cs_marks_t *full = cs_marks_new(&keys, &cs_sim_scheme, ben);
    cs_marks_become(full, 1);
    cs_marks_vouch(full, 7);
    size_t count;
    cs_vv_t seen = {0}, heard = {0};
    cs_marks_hold(full, &seen, &heard);
    tell_many(full, 10, CS_REPLICAS_MAX - 1);
    cr_assert_eq(cs_marks_displaced(full), 0);
    const cs_signed_mark_t *all = cs_marks_all(full, &count);
    uint64_t needed =
        all[count / 2].rid != cs_marks_rid(full, 1) ? all[count / 2].rid : all[0].rid;
    cr_assert_eq(cs_vv_raise(&heard, (cs_dot_t){needed, 1}), CS_OK);
    (void)cs_marks_all(full, &count);
    cr_assert_eq(count, CS_REPLICAS_MAX);
    tell_many(full, 100000, CS_REPLICAS_MAX);
    (void)cs_marks_all(full, &count);
    cr_assert_eq(count, CS_REPLICAS_MAX);
    cr_assert_eq(cs_marks_displaced(full), CS_REPLICAS_MAX);
    cr_assert(cs_marks_cover(full, &heard), "nor one that is needed");
    cs_vv_fini(&heard);
    cr_assert(cs_marks_cover_dot(full, (cs_dot_t){cs_marks_rid(full, 1), 7}), "never ours");
    cs_marks_destroy(&full);
}

Test(marks, of_as_many_ids_as_a_vector_may_have)
{
    cs_marks_t *full = cs_marks_new(&keys, &cs_sim_scheme, ben);
    cs_batch_t batch = {0};
    cs_vv_t seen = {0}, heard = {0};
    size_t count;
    tell_many(full, 1, CS_REPLICAS_MAX);
    const cs_signed_mark_t *all = cs_marks_all(full, &count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){all[i].rid, 1}), CS_OK);
    cs_marks_hold(full, &seen, &heard);
    cr_assert_not(cs_marks_have_room(full), "before it has rows, too");
    cs_marks_save(full, FOLDER, 0, &batch);
    cr_assert_eq(batch.count, CS_REPLICAS_MAX);
    cs_marks_t *one = cs_marks_new(&keys, &cs_sim_scheme, anna);
    cs_marks_become(one, CS_REPLICAS_MAX + 1);
    cs_marks_vouch(one, 1);
    uint64_t rid;
    cs_msg_mark_t mark = cs_marks_msg(cs_marks_all(one, &count));
    cr_assert_eq(cs_marks_learn(full, &mark, &rid), CS_ERR_LIMIT);
    cr_assert(cs_marks_cover(full, &seen), "none that is needed went");
    cr_assert_not(cs_marks_have_room(full), "for its own neither");
    cs_batch_fini(&batch);
    cs_vv_fini(&seen);
    cs_marks_destroy(&one);
    cs_marks_destroy(&full);
}
