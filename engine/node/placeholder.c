/* version.c - keeps the archive non-empty until its first file lands. */
int cs_placeholder_node(void);
int cs_placeholder_node(void)
{
    return 0;
}
