/* version.c - keeps the archive non-empty until its first file lands. */
int cs_placeholder_crdt(void);
int cs_placeholder_crdt(void)
{
    return 0;
}
