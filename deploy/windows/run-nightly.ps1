#Requires -Version 5.1
<#
.SYNOPSIS
What the scheduled task runs: closes the batches of inbox\tonight.csv, and ends with the program's exit code.
#>
[CmdletBinding()]
param(
    [string] $Root = 'C:\ProgramData\batch-closer',
    [string] $Program = 'C:\Program Files\batch-closer\.venv\Scripts\batch-closer.exe'
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Continue'

$env:BATCH_CLOSER_STATE = "$Root\state"
$env:BATCH_CLOSER_CONFIG = "$Root\nightly.toml"
$env:ENERGYCAP_API_KEY_FILE = "$Root\energycap-api-key"
$night = Get-Date -Format 'yyyy-MM-dd'

# The night's name is the run's: started again, by whomever, it goes on with the same run.
& $Program close "$Root\inbox\tonight.csv" --yes --run-id "nightly-$night" --resume --log-level error *> "$Root\last-night.txt"
$code = $LASTEXITCODE
Add-Content -Path "$Root\last-night.txt" -Value "exit code $code"
exit $code
