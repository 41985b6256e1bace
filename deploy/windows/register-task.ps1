#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
Has Windows close EnergyCAP bill batches every night. README.md beside it says what it needs.
.PARAMETER Account
The account that runs it: a group managed service account ('DOMAIN\batch-closer$', no password) or a plain one.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Account,
    [string] $Root = 'C:\ProgramData\batch-closer',
    [string] $Program = 'C:\Program Files\batch-closer\.venv\Scripts\batch-closer.exe',
    [datetime] $At = '01:30',
    [string] $TaskName = 'batch-closer nightly'
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# For administrators and the account alone: the key is in it, and what the batches cost.
foreach ($folder in $Root, "$Root\inbox", "$Root\state") {
    New-Item -ItemType Directory -Force -Path $folder | Out-Null
}
& icacls.exe $Root /inheritance:r /grant:r 'SYSTEM:(OI)(CI)F' 'Administrators:(OI)(CI)F' "${Account}:(OI)(CI)M" | Out-Null
if ($LASTEXITCODE -ne 0) { throw "icacls could not protect $Root" }

$keyFile = Join-Path $Root 'energycap-api-key'
if (-not (Test-Path $keyFile)) {
    $secret = Read-Host -AsSecureString -Prompt 'The EnergyCAP API key'
    $plain = (New-Object System.Net.NetworkCredential('', $secret)).Password
    [System.IO.File]::WriteAllText($keyFile, $plain)
    $plain = $null
}
Copy-Item -Force (Join-Path $PSScriptRoot 'run-nightly.ps1') $Root

$arguments = "-NoProfile -NonInteractive -ExecutionPolicy RemoteSigned -File `"$Root\run-nightly.ps1`" -Root `"$Root`" -Program `"$Program`""
$task = @{
    TaskName = $TaskName
    Action   = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments -WorkingDirectory $Root
    Trigger  = New-ScheduledTaskTrigger -Daily -At $At
    # A night that was missed is not made up for. The time limit is above limits.deadline_s (4 hours): it kills.
    Settings = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -DontStopOnIdleEnd `
        -ExecutionTimeLimit (New-TimeSpan -Hours 5)
    Force    = $true
}
if ($Account.EndsWith('$')) {
    $task.Principal = New-ScheduledTaskPrincipal -UserId $Account -LogonType Password -RunLevel Limited
} else {
    $credential = Get-Credential -UserName $Account -Message 'The password of the account that runs it'
    $task.User = $Account
    $task.Password = $credential.GetNetworkCredential().Password
    $task.RunLevel = 'Limited'
}
Register-ScheduledTask @task | Out-Null
Write-Output "Registered '$TaskName', daily at $($At.ToString('HH:mm')), as $Account."
