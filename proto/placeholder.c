/* version.c - keeps the archive non-empty until its first file lands. */
int cs_placeholder_proto(void);
int cs_placeholder_proto(void)
{
    return 0;
}
