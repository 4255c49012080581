/* limits.h - every bound, with its unit and its reason. Tested at the limit and one past it. */
#ifndef CS_BASE_LIMITS_H
#define CS_BASE_LIMITS_H

/* --- state (core.md 3, 6.3) */
#define CS_ENTRY_BYTES_MAX (1u << 20) /* enc(e); fits one message with its frame */
#define CS_DOTS_MAX        1024u      /* dots per store of an entry: versions of one file */
#define CS_REPLICAS_MAX    4096u /* replica ids in a vv: incarnations of all members, ever */
#define CS_REPLICAS_WARN   1024u /* ids in `seen` from where doctor warns */
#define CS_PATH_MAX        4096u /* bytes of a path: PATH_MAX of Linux */
#define CS_NAME_MAX        255u  /* bytes of a component: NAME_MAX of Linux */
#define CS_MODE_MAX        0777u /* permission bits only: no setuid, setgid, sticky */
#define CS_TLV_BYTES_MAX   4096u /* opaque attributes of a file */
#define CS_GEN_MAX         0x7fffffffu /* heights saturate here (core.md 2) */

/* --- scan (core.md 5.2, 5.3) */
/* operations in one synced batch: 0.1 ms a sync (limits.md 4) */
#define CS_BATCH_OPS_MAX 1000u
/* ns; a younger mtime cannot prove that a file is unchanged (FAT: 2 s) */
#define CS_RACY_NS 2000000000ll
/* ns; a clock tick of file times, doubled: CONFIG_HZ is 100 or more */
#define CS_TICK_NS 20000000ll
/* bytes; a young file of so many is let age: reading it takes longer than waiting for a tick */
#define CS_AGE_BYTES (32u << 20)
/* files vanished or rewritten within CS_BRAKE_MS before we ask */
#define CS_BRAKE_FILES    1000u
#define CS_BRAKE_PERCENT  25u
#define CS_BRAKE_MS       60000u
#define CS_PAIR_BYTES_MIN 1024u /* smaller files are not paired as renames by content */
#define CS_FREEZE_ROUNDS  3u    /* core.md 5.4 */
/* of one file of ignore rules; a larger one is reported */
#define CS_IGNORE_BYTES_MAX (1u << 20)
/* of the rule files from the root down to a directory */
#define CS_IGNORE_STACK_BYTES_MAX (8u << 20)

/* --- apply (core.md 5.6) */
#define CS_GROUP_FILES_MAX 1000u       /* files behind one syncfs (limits.md 6) */
#define CS_GROUP_BYTES_MAX (64u << 20) /* bytes behind one syncfs */
/* a sweep looks at each of them: 1 us a file (limits.md 5) */
#define CS_TRASH_FILES_MAX 20000u
/* dropped at a time, seconds where the disk is slow; then it is others' turn. A run adds fewer
 */
#define CS_TRASH_DROPS_MAX 2000u
/* two paths a step, and families are never split */
#define CS_TRASH_LOG_BYTES_MAX (32u << 20)

/* --- content (core.md 9) */
#define CS_CHUNK_MIN (64u << 10) /* bytes; files below are one chunk */
#define CS_CHUNK_AVG (256u << 10)
#define CS_CHUNK_MAX (1u << 20)
/* bytes of zeros that are made a hole; shorter ones would be more fragments than savings */
#define CS_HOLE_MIN (32u << 10)
/* bytes that are worth a question whether the disk can keep them once for two files */
#define CS_SHARE_MIN      (32u << 10)
#define CS_NODE_ITEMS_MAX 1024u                    /* items of a chunk-list node: 36 KiB */
#define CS_PARTS_BYTES    (CS_NODE_ITEMS_MAX / 8u) /* a bit for each item of a leaf */
#define CS_LIST_DEPTH_MAX 6u /* nodes have >= 2 items on average 256: 2^48 chunks */

/* --- reconciliation (core.md 8) */
/* symbols of one stream, and of the prefix kept by a folder: 2 MiB; 48,000 differences */
#define CS_SYMBOLS_MAX 65536u
#define CS_SYMBOLS_MIN 64u /* same; where fewer are never worth a thought: 1.6 KB */
/* indices beyond are not followed: a double could not be converted (core.md 8.1) */
#define CS_SYMBOL_INDEX_MAX (UINT64_C(1) << 40)
#define CS_SYMBOLS_FIRST    16u   /* symbols sent before the first CREDIT: 10 differences */
#define CS_SYMBOLS_FRAME    4096u /* symbols in one SYMS: 100 KiB */
#define CS_PART_BITS_MAX    16u   /* of a partition's number: 65,536 of 8,192 differences */
#define CS_PART_BITS_SAMPLE 8u    /* of the partition by which differences are estimated */
#define CS_PART_DIFFERENCES 8192u /* wanted in one partition: 11,100 symbols */
#define CS_ITEMS_MAX        (UINT64_C(1) << 40) /* live entries that a peer may claim */
/* of X's items that differ, from where its list is cheaper: 34 B each, against 16 B for all */
#define CS_LIST_PERCENT 40u
/* between two lists asked of a peer whose symbols were no symbols (core.md 8.4) */
#define CS_LIST_GAP_MS 600000u
/* rows noted as changed since a durable moment, to tell what the prefix was then: 1 MiB */
#define CS_PREFIX_UNDO_MAX 65536u

/* --- network (core.md 7.1) */
#define CS_MESSAGE_BYTES_MAX ((1u << 20) + (64u << 10)) /* the largest chunk is 1 MiB */
/* of a packed payload, unpacked: what would fit one message */
#define CS_PACKED_BYTES_MAX CS_MESSAGE_BYTES_MAX
#define CS_PEERS_MAX        50u        /* default of limits.max-peers */
#define CS_HWM              64u        /* messages queued in ZeroMQ per peer and direction */
#define CS_CREDIT_BYTES     (8u << 20) /* unacknowledged data a peer */
/* what a node takes beside contents in flight: 30 MiB of its own with 200,000 files at rest,
 * and what tells peers of changes; the rest of `memory-mib` is for what comes, and what goes */
#define CS_MEMORY_BASE_BYTES (40u << 20)
/* small files, entries in one message (limits.md 2) */
#define CS_BUNDLE_BYTES (256u << 10)
/* of a file that is sent before it is asked for, and of all in one message: what is wasted when
 * the receiver has them already is less than what a question and its answer take */
#define CS_AHEAD_FILE_MAX          (4u << 10)
#define CS_AHEAD_BYTES_MAX         (16u << 10)
#define CS_AHEAD_KEPT_MS           5000u /* what is not used or sent by then is forgotten */
#define CS_HOPS_MAX                6u    /* eager pushes (core.md 7.2) */
#define CS_FANOUT_MAX              8u
#define CS_HOT_MAX                 65536u /* buckets in the hot set; beyond: exchanges carry them */
#define CS_EXCHANGES_INITIATOR_MAX 2u
#define CS_EXCHANGES_RESPONDER_MAX 4u
#define CS_WANT_MAX                4096u  /* digests in one WANT, and unanswered ones */
#define CS_LIST_PAGE_ITEMS         16384u /* digests in one LIST: 256 KiB (core.md 7.3) */
/* PUSH, or ENTRIES for an empty peer, without credit: 1 MiB */
#define CS_BUNDLES_AHEAD 4u
/* one push to all; what is beyond goes with the next one */
#define CS_EAGER_BYTES_MAX (1u << 20)
/* pushed to a peer and not said to be durable there: then no more is, so that a slow one holds
 * in memory what it can write in a moment, and not what a fast one scans */
#define CS_EAGER_AHEAD_BYTES (1u << 20)
/* refutations in one exchange before we ask (core.md 6.4) */
#define CS_FUSE_ENTRIES       1000u
#define CS_FUSE_PERCENT       10u   /* same, of all entries */
#define CS_MEMBERS_MAX        1024u /* of a folder: its list fits one HELLO */
#define CS_MEMBER_NAME_MAX    63u   /* bytes, for people */
#define CS_ENDPOINTS_MAX      8u    /* addresses of one member */
#define CS_ENDPOINT_BYTES_MAX 127u  /* "tcp://[...]:port" */
#define CS_REPORTS_MAX        64u   /* members' states in one HAVE (core.md 7.1) */
#define CS_PEX_MAX            32u   /* addresses in one PEX (core.md 7.1) */
#define CS_STANDINGS_MAX      256u  /* in one message: 40 KiB */
#define CS_MARKS_MAX          256u  /* likewise: 30 KiB; CS_REPLICAS_MAX are kept */
/* Members of a folder and those who were, of whom somebody said so, four times as many as there
 * can be at a time: 140 B each in memory. */
#define CS_STANDINGS_KEPT_MAX 4096u
#define CS_FOLDER_ID_MAX      64u /* bytes: what `folder add --id` takes */

/* --- what a node holds, asserted by the simulator (sim/load.c) after every step; of a folder
 * of few files: the prefix of symbols and the notes beside it (core.md 8.1) come to 3 MiB more
 */
/* bytes of memory: the buffers of its workers, a chunk each, and batches that are being stored;
 * 1.2 MB were seen at most */
#define CS_NODE_BYTES_MAX (2u << 20)
/* more for each peer: what waits in the outbox */
#define CS_NODE_PEER_BYTES_MAX (CS_BUNDLES_AHEAD * CS_BUNDLE_BYTES / 8)
/* effects whose memory waits for the next step: 25 KiB; that of more is given back */
#define CS_EFFECTS_KEPT 40u
/* when all is equal and quiet; 134 KB were seen with one peer, 142 KB with four; 820 KB more
 * with 188 entries: the prefix doubles, and rows of what is small stay in memory */
#define CS_REST_BYTES_MAX       (160u << 10)
#define CS_REST_PEER_BYTES_MAX  (8u << 10)
#define CS_REST_ENTRY_BYTES_MAX (6u << 10)
#define CS_REST_STATE_BYTES_MAX (3u << 20) /* all entries */
/* bytes of one connection and direction that have not arrived: content within credit, one
 * message that begins below it, entries ahead of credit in every exchange, pushes */
#define CS_LINK_BYTES_MAX                                                           \
    (CS_CREDIT_BYTES + CS_MESSAGE_BYTES_MAX +                                       \
     (CS_EXCHANGES_INITIATOR_MAX + CS_EXCHANGES_RESPONDER_MAX) * CS_BUNDLES_AHEAD * \
         CS_BUNDLE_BYTES +                                                          \
     CS_EAGER_AHEAD_BYTES + CS_EAGER_BYTES_MAX)

#endif
