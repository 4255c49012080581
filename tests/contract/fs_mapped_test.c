/* fs_mapped_test.c - whether what is stored through a mapping shows in the times of the file.
 */
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "contract/fs_fixture.h"
#include "support/scanned.h"

static char *map; /* NULL: it is the model */

static hand_t user_map(const char *path)
{
    hand_t hand = user_open(path, CS_MEM_O_WRITE);
    if (volume != NULL) return hand;
    map = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, hand.fd, 0);
    cr_assert_neq(map, MAP_FAILED);
    return hand;
}

static void user_store(hand_t hand, char c)
{
    if (volume != NULL) {
        cr_assert_eq(cs_mem_user_poke(hand.model, 0, &c, 1), CS_OK);
    } else {
        *(volatile char *)map = c;
    }
}

static void user_unmap(hand_t hand)
{
    if (volume == NULL) munmap(map, 1);
    user_close(hand);
}

static void pass_tick(void)
{
    static int64_t now_ns = 1790000000000000000;
    if (volume == NULL) {
        cs_test_pass_tick(at("tick"));
    } else {
        cs_mem_volume_set_time(volume, now_ns += CS_TICK_NS);
    }
}

static bool moves_times(hand_t hand, char c)
{
    pass_tick();
    cs_print_t before = stat_of("a").print;
    user_store(hand, c);
    cs_print_t after = stat_of("a").print;
    cr_expect_eq(before.mtime_ns != after.mtime_ns, before.ctime_ns != after.ctime_ns);
    return before.ctime_ns != after.ctime_ns;
}

PROMISE(fs_mapped, after_a_settle_times_move_where_the_features_say_so)
{
    cs_file_t *file = NULL;
    user_write("a", "0");
    cr_assert_eq(fs->ops->open_read(fs, p("a"), &file), CS_OK);
    hand_t hand = user_map("a");
    user_store(hand, '1');
    for (char c = '2'; c <= '9'; c++) {
        fs->ops->settle(file);
        cr_expect_eq(moves_times(hand, c), fs->features.mapped_times);
    }
    user_unmap(hand);
    fs->ops->close(&file);
}

Test(fs_mapped, what_is_known_of_file_systems, .init = setup, .fini = teardown)
{
    struct statfs st;
    cr_assert_eq(statfs(dir, &st), 0);
    if (st.f_type == TMPFS_MAGIC) cr_expect_not(fs->features.mapped_times);
    if (st.f_type == EXT4_SUPER_MAGIC) cr_expect(fs->features.mapped_times);
}
